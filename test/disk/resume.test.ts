import { mkdtempSync, rmSync } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, expect, test } from "vitest";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { packageFiles } from "../../format/manifest.ts";
import { GiB } from "../../format/sizes.ts";
import { stashFile } from "../../format/stash.ts";
import { makeSmallPackage } from "../fixtures/small-package.ts";
import { diskSerial, makeStashDisk, type StashDisk } from "../fixtures/stash-disk.ts";

/** busybox asks the terminal where its cursor is. */
const prompt = /# (?:\u001b\[6n)?$/m;
const folder = mkdtempSync(join(tmpdir(), "dualroot-resume-"));
let onDisk: StashDisk;
let inMemory: StashDisk;
let machines: RunningMachine[] = [];
beforeAll(async () => {
  const packageFolder = join(folder, "package");
  const diskBytes = await makeSmallPackage(packageFolder, folder);
  const make = (mode: "disk" | "ram"): Promise<StashDisk> =>
    makeStashDisk(join(folder, mode), packageFolder, { diskBytes, role: "dev", mode });
  onDisk = await make("disk");
  inMemory = await make("ram");
  return () => rmSync(folder, { recursive: true });
});
afterEach(async () => {
  for (const machine of machines) await machine.kill();
  machines = [];
});

async function copyOf({ disk }: StashDisk, name: string): Promise<string> {
  const copy = join(folder, `${name}.img`);
  await copyFile(disk, copy);
  return copy;
}

/** Kernel and ramdisk from outside, as stage 1 would start them; ends where it would restart. */
function bootRamdisk(
  disk: string,
  { kernel, ramdisk, commandLine }: StashDisk,
  more = "",
): Promise<RunningMachine> {
  return start(disk, { boot: { kernel, initrd: ramdisk, append: `${commandLine}${more}` }, onReset: "stop" });
}

/** By BIOS from the disk alone. */
function bootDisk(disk: string): Promise<RunningMachine> {
  return start(disk, { onReset: "restart" });
}

async function start(
  disk: string,
  how: Pick<Parameters<typeof launch>[0], "boot" | "onReset">,
): Promise<RunningMachine> {
  const machine = await launch(
    {
      name: "resume",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true }],
      nics: [],
      display: "none",
      ...how,
    },
    { accelerator: await chooseAccelerator(onDisk.kernel), consoleLog: `${disk}.log` },
  );
  machines.push(machine);
  return machine;
}

const loaderSpeaks = /dualroot: the conversion of this gateway was interrupted and goes on now/;
/** GRUB's menu of the new system; the small root has no kernel that could boot. */
const newMenu = /Slot A/;

async function expectEnd({ console }: RunningMachine): Promise<void> {
  await console.waitFor(/dualroot: converted/, 240);
  await console.waitFor(newMenu, 60);
}

test.each([
  ["while the volumes are made", /Create the volumes root_a/],
  ["while the new system is unpacked", /Unpack the new system/],
])("a power cut %s: the disk alone carries on to the end", async (what, moment) => {
  const disk = await copyOf(onDisk, what.replaceAll(" ", "-"));
  const first = await bootRamdisk(disk, onDisk);
  await first.console.waitFor(/Arm the resume loader/, 120);
  await first.console.waitFor(moment, 120);
  await sleep(Math.random() * 2000);
  await first.kill();

  const second = await bootDisk(disk);
  await second.console.waitFor(loaderSpeaks, 60);
  await second.console.waitFor(/dualroot: resumed; start 1, 0 failures so far/, 120);
  await expectEnd(second);
});

test("ram mode: the package gets a place on the disk, and from then on a power cut costs time only", async () => {
  const disk = await copyOf(inMemory, "placed");
  const first = await bootRamdisk(disk, inMemory);
  await first.console.waitFor(/Put the package on the disk/, 120);
  await first.console.waitFor(/Arm the resume loader/, 120);
  await first.console.waitFor(/Make the boot filesystem/, 120);
  await first.kill();

  const second = await bootDisk(disk);
  await second.console.waitFor(loaderSpeaks, 60);
  await second.console.waitFor(/dualroot: resumed; start 1/, 120);
  await expectEnd(second);
});

/** Four minutes; test/disk/rescue-after-failures has the last of three failures. */
test.runIf(process.env["DUALROOT_LONG"])(
  "an agent that is killed starts again by itself; a conversion that fails every time ends in the rescue system",
  async () => {
    const disk = await copyOf(onDisk, "failing");
    const first = await bootRamdisk(disk, onDisk, " dualroot.break");
    await first.console.waitFor(/dualroot\.break was given/, 120);
    await first.console.waitFor(prompt, 60);
    first.console.type(
      "(until [ -e /run/dualroot/resume-armed ]; do sleep 0.1; done; sleep 2; killall -9 node) & exit",
    );
    await first.console.waitFor(/the agent ended \(exit code 137\)/, 180);
    await first.console.waitFor(/The conversion begins again from the top in 60 seconds/, 20);
    await first.ended(120);

    await damage(disk, packageFiles.rootfs);
    const second = await bootDisk(disk);
    for (const failures of [0, 1, 2]) {
      await second.console.waitFor(loaderSpeaks, 90);
      await second.console.waitFor(
        new RegExp(`resumed; start ${failures + 1}, ${failures} failures so far`),
        120,
      );
      await second.console.waitFor(/rootfs\.tar\.xz was changed/, 60);
    }
    await second.console.waitFor(/The conversion failed 3 times, the last time because: rootfs\.tar\.xz/, 60);
    await second.console.waitFor(prompt, 120);
    expect(second.console.tail(200)).not.toContain("begins again from the top in 60 seconds");
  },
);

/** Some ten minutes: in `npm run test:long`. */
test.runIf(process.env["DUALROOT_LONG"])(
  "twenty power cuts in a row, at any moment after the loader has spoken, cost time only",
  async () => {
    const disk = await copyOf(onDisk, "twenty");
    const first = await bootRamdisk(disk, onDisk);
    await first.console.waitFor(/Clear the old structures/, 240);
    await first.kill();
    for (let cut = 1; cut <= 20; cut += 1) {
      const machine = await bootDisk(disk);
      await machine.console.waitFor(loaderSpeaks, 120);
      // One in four falls into the loader and the kernel, the others into steps further and further behind.
      if (cut % 4 > 0) await machine.console.waitFor(/dualroot: resumed/, 240);
      await sleep(Math.random() * Math.min(cut, 12) * 1000);
      expect(machine.console.tail(60)).not.toContain("dualroot: converted");
      await machine.kill();
    }
    const last = await bootDisk(disk);
    await last.console.waitFor(/dualroot: resumed; start 1[5-9], 0 failures so far/, 240);
    await expectEnd(last);
  },
  60 * 60_000,
);

/** Another byte in the middle of a file of the stash. */
async function damage(disk: string, name: string): Promise<void> {
  const [range] = stashFile(onDisk.stash, name)?.ranges ?? [];
  if (!range) throw new Error(`${name} has no place`);
  const image = await open(disk, "r+");
  const position = range.startBytes + 100_000;
  const byte = Buffer.alloc(1);
  await image.read(byte, 0, 1, position);
  byte[0]! ^= 0xff;
  await image.write(byte, 0, 1, position);
  await image.close();
}
