import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Fault } from "./faulty-disk.ts";
import { handedOver, type HandedOver } from "./handed-over.ts";
import { runWithFaults, type FaultRun } from "./run-with-faults.ts";

const large = 256 * 1024;
const sectorZero = { startBytes: 0, sizeBytes: 512 };
let start: HandedOver;
let folder: string;

beforeAll(async () => {
  start = await handedOver();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-faults-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A conversion that stage 1 has just handed over. */
async function beforeSwitch(from: RegExp, fault: Fault): Promise<FaultRun> {
  const image = await start.diskAtStart(folder);
  const { reference } = start.recording;
  return runWithFaults({ image, folder, reference, boot: start.kexec(), faults: [{ from, fault }] });
}

/** A conversion that was cut right behind the arming. */
async function afterSwitch(from: RegExp, fault: Fault): Promise<FaultRun> {
  const image = await start.diskArmed(folder);
  return runWithFaults({ image, folder, reference: start.recording.reference, faults: [{ from, fault }] });
}

test.each(["fail", "flip"] as const)(
  "a package whose reading goes wrong before the switch (%s): the old system, equal to before",
  async (kind) => {
    const fault: Fault = { kind, of: "read", leastBytes: large, times: 100, sticks: true };
    const run = await beforeSwitch(/Verify the package/, fault);
    expect(run.done.length).toBeGreaterThan(0);
    expect(run.console).toMatch(/The disk was not converted\. The old system starts again/);
    expect(run).toMatchObject({ outcome: "old" });
  },
);

test("a disk that fails to write the loader: the old system, equal to before", async () => {
  const run = await beforeSwitch(/Arm the resume loader/, { kind: "fail", of: "write", times: 1 });
  expect(run.done).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "old" });
});

test("a disk that drops the switch itself: the old system, equal to before", async () => {
  const fault: Fault = { kind: "drop", of: "write", range: sectorZero, times: 1 };
  const run = await beforeSwitch(/Arm the resume loader/, fault);
  expect(run.done).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "old" });
});

test("a dropped write of the new system is found by reading back, and done again", async () => {
  const run = await afterSwitch(/Unpack the new system/, {
    kind: "drop",
    of: "write",
    leastBytes: large,
    times: 1,
  });
  expect(run.done).toHaveLength(1);
  expect(run.console).toMatch(/Read everything back +FAILED/);
  expect(run).toMatchObject({ outcome: "converted" });
});

test("a spot that never keeps what is written ends in the rescue system, which says why", async () => {
  const times = Number.MAX_SAFE_INTEGER;
  const fault: Fault = { kind: "flip", of: "write", leastBytes: large, times, sticks: true };
  const run = await afterSwitch(/Unpack the new system/, fault);
  expect(run.done.length).toBeGreaterThanOrEqual(3);
  expect(run).toMatchObject({ outcome: "rescue" });
  expect(run.console.slice(run.console.indexOf("dualroot: rescue system"))).toMatch(/failed 3 times/i);
});

test("a last switch that the disk drops is found by reading back, and done again", async () => {
  const fault: Fault = { kind: "drop", of: "write", range: sectorZero, times: 1 };
  const run = await afterSwitch(/Unmount the new system/, fault);
  expect(run.done).toHaveLength(1);
  expect(run.console).toMatch(/Make the disk boot the new system +FAILED/);
  expect(run).toMatchObject({ outcome: "converted" });
});

test("one flush that fails while the disk is rewritten: everything is done again", async () => {
  const run = await afterSwitch(/Create the volume group/, { kind: "fail", of: "flush", times: 1 });
  expect(run.done).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "converted" });
});
