import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { packageFiles } from "../../../format/manifest.ts";
import { stashFile } from "../../../format/stash.ts";
import { isPromised } from "../run/judge.ts";
import type { Fault } from "./faulty-disk.ts";
import { handedOver, type HandedOver } from "./handed-over.ts";
import { runWithFaults, type FaultRun, type FaultScenario } from "./run-with-faults.ts";

/**
 * Each safeguard left out must turn a moment red that is green with it: else nobody would know what it is for. Where the disk
 * boots nothing any more there is no last word to wait for; that not even GRUB was seen tells it from a slow machine.
 */
const nothingSeconds = 45;
const arming = /Arm the resume loader/;
const sectorZero = { startBytes: 0, sizeBytes: 512 };
/** Right behind the write of sector 0 that arms the loader. */
const cut: Fault = { kind: "cut", of: "write", range: sectorZero, times: 1 };
const whenArmed = {
  faults: [{ from: arming, fault: cut }],
  cutAt: "fault",
  limitSeconds: nothingSeconds,
} as const;
/** 0xAA55, without which no loader takes a kernel for one (the kernel's Documentation/arch/x86/boot.rst). */
const bootFlagAt = 0x1fe;

let start: HandedOver;
let folder: string;

beforeAll(async () => {
  start = await handedOver();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-safeguards-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type How = Pick<FaultScenario, "faults" | "cutAt" | "keptByCut" | "limitSeconds">;

/** A conversion from its hand-over on, without one safeguard. */
async function without(
  safeguard: string,
  how: How,
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
  const run = await without("arm", { cutAt: /Create the volume group/, limitSeconds: nothingSeconds });
  expect(isPromised(run)).toBe(false);
  expect(run.afterBoot).toBe("");
});

test("without the flushes around it, the switch can arrive before what it points to", async () => {
  const run = await without("flush", { ...whenArmed, keptByCut: sectorZero });
  const loader = (await start.readStash(join(folder, "start.img"))).space!.loader;
  expect(run.lost.map(({ startBytes }) => startBytes)).toContain(loader.startBytes);
  expect(isPromised(run)).toBe(false);
  expect(run.afterBoot).toBe("");
});

test("without reading back, a dropped write of the loader goes unseen", async () => {
  const fault: Fault = { kind: "drop", of: "write", leastBytes: 64 * 1024, times: 1 };
  const run = await without("read-back", {
    ...whenArmed,
    faults: [{ from: arming, fault }, ...whenArmed.faults],
  });
  expect(run.done.map((one) => one.fault.kind)).toEqual(["drop", "cut"]);
  expect(isPromised(run)).toBe(false);
  expect(run.afterBoot).toBe("");
});

test("without verifying the stash, a kernel that was damaged after stage 1 costs the old system", async () => {
  const run = await without("verify-stash", whenArmed, async (image) => {
    const [kernel] = stashFile(await start.readStash(image), packageFiles.kernel)!.ranges!;
    await flipBit(image, kernel!.startBytes + bootFlagAt);
  });
  expect(isPromised(run)).toBe(false);
  expect(run.afterBoot).toMatch(/the ramdisk cannot be read from the disk/);
  expect(run.afterBoot).not.toMatch(/ramdisk started/);
});

test("without keeping the new volumes off the stash, the old system's archive is overwritten", async () => {
  const run = await without("reserve", {});
  expect(run.console).toMatch(/could not be put into slot B/);
  expect(isPromised(run)).toBe(false);
});

async function flipBit(image: string, offset: number): Promise<void> {
  const file = await open(image, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offset);
  byte[0]! ^= 1;
  await file.write(byte, 0, 1, offset);
  await file.close();
}
