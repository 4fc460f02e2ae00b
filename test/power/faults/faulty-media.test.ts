import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ByteRange } from "../../../agent/plan/step.ts";
import { sectorBytes } from "../log/write-log.ts";
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
async function handOver(from: RegExp, faultOf: Fault | ((image: string) => Fault)): Promise<FaultRun> {
  const image = await start.diskAtStart(folder);
  const { reference } = start.recording;
  const fault = typeof faultOf === "function" ? faultOf(image) : faultOf;
  return runWithFaults({ image, folder, reference, boot: start.kexec(), faults: [{ from, fault }] });
}

test.each(["fail", "flip"] as const)(
  "a package whose reading goes wrong before the switch (%s): the old system, equal to before",
  async (kind) => {
    const fault: Fault = { kind, of: "read", leastBytes: large, times: 100, sticks: true };
    const run = await handOver(/Verify the package/, fault);
    expect(run.done.length).toBeGreaterThan(0);
    expect(run.console).toMatch(/The disk was not converted\. The old system starts again/);
    expect(run).toMatchObject({ outcome: "old" });
  },
);

test("a disk that fails to write the loader: the old system, equal to before", async () => {
  const run = await handOver(/Arm the resume loader/, { kind: "fail", of: "write", times: 1 });
  expect(run.done).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "old" });
});

test("a disk that drops the switch itself: the old system, equal to before", async () => {
  const fault: Fault = { kind: "drop", of: "write", range: sectorZero, times: 1 };
  const run = await handOver(/Arm the resume loader/, fault);
  expect(run.done).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "old" });
});

test("a spot of the old system that cannot be read while it is kept: converted, and it is said that slot B is empty", async () => {
  const run = await handOver(/Keep the old system/, (image) => ({
    kind: "fail",
    of: "read",
    range: firstBlockOf("/usr/sbin/init", image),
    times: 1000,
    sticks: true,
  }));
  expect(run.done.length).toBeGreaterThan(0);
  expect(run.console).toMatch(/The old system is not kept as slot B, so there will be no way back to it/);
  // Equal to the undisturbed conversion but for slot B.
  const [undisturbed, slotB] = start.recording.reference.converted.split(" slot_b=");
  expect(run.detail.split(" slot_b=")[0]).toBe(undisturbed);
  expect(run.detail.split(" slot_b=")[1]).not.toBe(slotB);
});

/** Where a file of the old system begins on its disk. */
function firstBlockOf(path: string, image: string): ByteRange {
  const table = JSON.parse(execFileSync("sfdisk", ["--json", image], { encoding: "utf8" })) as {
    partitiontable: { partitions: { start: number }[] };
  };
  const partition = table.partitiontable.partitions[0]!.start * sectorBytes;
  const debugfs = (command: string): string =>
    execFileSync("debugfs", ["-R", command, `${image}?offset=${partition}`], { encoding: "utf8" });
  const sizeBytes = Number(/Block size:\s+(\d+)/.exec(debugfs("stats -h"))?.[1]);
  const block = Number(debugfs(`blocks ${path}`).trim().split(" ")[0]);
  if (!(sizeBytes > 0 && block > 0)) throw new Error(`${path} is not in the old system's filesystem`);
  return { startBytes: partition + block * sizeBytes, sizeBytes };
}
