import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { packageFiles } from "../../../format/manifest.ts";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import { listPoints } from "../points/points.ts";
import { conversionRecording } from "../record/conversion-recording.ts";
import { openRecording } from "../record/recording.ts";
import { isPromised } from "../run/judge.ts";
import { runPoint } from "../run/run-point.ts";
import { handedOver, type HandedOver } from "./handed-over.ts";
import { runWithFaults, type FaultRun, type FaultScenario } from "./run-with-faults.ts";

/** Each safeguard left out must turn a moment red that is green with it: else nobody would know what it is for. */
let start: HandedOver;
let folder: string;

beforeAll(async () => {
  start = await handedOver();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-safeguards-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A conversion from its hand-over on, without one safeguard. */
async function without(
  safeguard: string,
  how: Pick<FaultScenario, "faults" | "cutAt" | "limitSeconds">,
  damage: (image: string) => Promise<void> = async () => {},
): Promise<FaultRun> {
  const image = await start.diskAtStart(folder);
  await damage(image);
  const boot = start.kexec(`dualroot.without=${safeguard}`);
  const run = await runWithFaults({ image, folder, reference: start.recording.reference, boot, ...how });
  expect(run.console).toMatch(new RegExp(`left out for a test, this gateway may be LOST: ${safeguard}`));
  return run;
}

test("without the resume loader a cut in the middle of the rewriting loses the gateway", async () => {
  // What is left of the old boot code runs into nothing, without a word.
  const run = await without("arm", { cutAt: /Unpack the new system/, limitSeconds: 120 });
  expect(isPromised(run)).toBe(false);
  expect(run.console).not.toContain("goes on now");
});

test("without the flushes around it, the switch can arrive before what it points to", async () => {
  const environment = { DUALROOT_WITHOUT: "flush" };
  const recording = await openRecording(await conversionRecording({ stack: "ext4", environment }));
  const [armed] = recording.switches.sectorZero;
  const alone = listPoints({ ...recording, seed: "flush" }).find(
    ({ kind, kept }) => kind === "switch" && kept.length === 1 && kept[0] === armed,
  );
  if (!alone) throw new Error("the switch is not in flight together with other writes");
  const disks = new DiskAtPoint(recording, folder);
  const disk = await disks.build(alone);
  await disks.close();
  const result = await runPoint(alone, disk, recording.reference, join(folder, "console.log"));
  expect(isPromised(result)).toBe(false);
});

test("without reading back, a dropped write of the new system goes unseen", async () => {
  const fault = { kind: "drop", of: "write", leastBytes: 256 * 1024, times: 1 } as const;
  const run = await without("read-back", { faults: [{ from: /Unpack the new system/, fault }] });
  expect(run.done).toHaveLength(1);
  expect(isPromised(run)).toBe(false);
});

test("without verifying the stash, a package that was damaged after stage 1 costs the old system", async () => {
  const run = await without("verify-stash", {}, async (image) => {
    const rootfs = await readFile(join(start.packageFolder, packageFiles.rootfs));
    const at = 2 * 1024 * 1024;
    await flipBit(image, rootfs.subarray(at, at + 512));
  });
  expect(isPromised(run)).toBe(false);
});

test("without keeping the new volumes off the stash, a cut finds nothing to carry on with", async () => {
  const run = await without("reserve", { cutAt: /Put the old system into slot B|FAILED/ });
  expect(isPromised(run)).toBe(false);
});

/** Flips a bit of the sector with this content, wherever it lies on the disk. */
async function flipBit(image: string, sector: Buffer): Promise<void> {
  const at = (await readFile(image)).indexOf(sector);
  if (at < 0 || at % 512 !== 0) throw new Error("the package does not lie on the disk");
  const file = await open(image, "r+");
  await file.write(Buffer.from([sector[0]! ^ 1]), 0, 1, at);
  await file.close();
}
