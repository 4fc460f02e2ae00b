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
