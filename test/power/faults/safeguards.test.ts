import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import { listPoints, type Point } from "../points/points.ts";
import { conversionRecording } from "../record/conversion-recording.ts";
import { openRecording, type Recording } from "../record/recording.ts";
import { isPromised } from "../run/judge.ts";
import { runPoint, type PointResult } from "../run/run-point.ts";
import { runWithFaults } from "./run-with-faults.ts";

/** Each safeguard left out must turn a moment red that is green with it: else nobody would know what it is for. */
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-safeguards-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function recordWithout(safeguard: string): Promise<Recording> {
  return openRecording(
    await conversionRecording({ stack: "ext4", environment: { DUALROOT_WITHOUT: safeguard } }),
  );
}

async function boot(recording: Recording, point: Point | undefined): Promise<PointResult> {
  if (!point) throw new Error("the recording has no such point");
  const disks = new DiskAtPoint(recording, folder);
  try {
    const disk = await disks.build(point);
    return await runPoint(point, disk, recording.reference, join(folder, "console.log"));
  } finally {
    await disks.close();
  }
}

test("without the resume loader a cut in the middle of the rewriting loses the gateway", async () => {
  const recording = await recordWithout("arm");
  const { starts } = recording.switches;
  const middle = (starts.rewriting! + starts["first boot"]!) / 2;
  const points = listPoints({ ...recording, seed: "arm" });
  const result = await boot(
    recording,
    points.find(({ kind, at }) => kind === "boundary" && at >= middle),
  );
  expect(isPromised(result)).toBe(false);
});

test("without the flushes around it, the switch can arrive before what it points to", async () => {
  const recording = await recordWithout("flush");
  const [armed] = recording.switches.sectorZero;
  const alone = listPoints({ ...recording, seed: "flush" }).find(
    ({ kind, kept }) => kind === "switch" && kept.length === 1 && kept[0] === armed,
  );
  const result = await boot(recording, alone);
  expect(isPromised(result)).toBe(false);
});

test("without reading back, a dropped write of the new system goes unseen", async () => {
  const recording = await recordWithout("read-back");
  const epoch = recording.epochs.findIndex(({ end }) => end > recording.switches.sectorZero[0]!);
  const disks = new DiskAtPoint(recording, folder);
  const kept = recording.epochs[epoch]!.writes.filter((write) => write <= recording.switches.sectorZero[0]!);
  const image = await disks.build({
    name: "armed",
    kind: "boundary",
    epoch,
    kept,
    phase: "rewriting",
    at: 0,
  });
  await disks.close();
  const fault = { kind: "drop", of: "write", leastBytes: 256 * 1024, times: 1 } as const;
  const faults = [{ from: /Unpack the new system/, fault }];
  const run = await runWithFaults({ image, folder, reference: recording.reference, faults });
  expect(run.done).toHaveLength(1);
  expect(isPromised(run)).toBe(false);
});
