import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { handedOver, type HandedOver } from "./handed-over.ts";
import { runWithFaults, type FaultRun, type FaultScenario } from "./run-with-faults.ts";

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

/** A conversion that was cut right behind the arming: the disk boots the ramdisk, as often as it takes. */
async function carryOn(...faults: NonNullable<FaultScenario["faults"]>): Promise<FaultRun> {
  const image = await start.diskArmed(folder);
  return runWithFaults({ image, folder, reference: start.recording.reference, faults });
}

test("a dropped write of the new system, then one that fails: the first is found by reading back, and all is done again", async () => {
  const run = await carryOn(
    {
      from: /Unpack the new system/,
      fault: { kind: "drop", of: "write", leastBytes: large, times: 1 },
    },
    {
      from: /This was failure 1 of/,
      fault: { kind: "fail", of: "write", leastBytes: large, times: 1 },
    },
  );
  expect(run.done.map(({ fault }) => fault.kind)).toEqual(["drop", "fail"]);
  expect(run.console).toMatch(/Read everything back +FAILED/);
  expect(run.console).toMatch(/This was failure 2 of at most 3/);
  expect(run).toMatchObject({ outcome: "converted" });
});

test("a failed flush, then a dropped last switch: each is seen, and all is done again", async () => {
  const run = await carryOn(
    { from: /Clear the old structures/, fault: { kind: "fail", of: "flush", times: 1 } },
    // Which the first try does not come to.
    {
      from: /Unmount the new system/,
      fault: { kind: "drop", of: "write", range: sectorZero, times: 1 },
    },
  );
  expect(run.done).toMatchObject([{ fault: { of: "flush" } }, { fault: { range: sectorZero } }]);
  expect(run.console).toMatch(/Clear the old structures +FAILED/);
  expect(run.console).toMatch(/Make the disk boot the new system +FAILED/);
  expect(run).toMatchObject({ outcome: "converted" });
});

test("a spot that never keeps what is written ends in the rescue system, which says why", async () => {
  const times = Number.MAX_SAFE_INTEGER;
  const run = await carryOn({
    from: /Unpack the new system/,
    fault: { kind: "flip", of: "write", leastBytes: large, times, sticks: true },
  });
  expect(run.done.length).toBeGreaterThanOrEqual(3);
  expect(run.console).toMatch(/Read everything back +FAILED/);
  expect(run).toMatchObject({ outcome: "rescue" });
  expect(run.console.slice(run.console.indexOf("dualroot: rescue system"))).toMatch(/failed 3 times/i);
});
