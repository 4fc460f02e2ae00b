import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { packageFiles } from "../../format/manifest.ts";
import { conversionReportSchema } from "../../format/report.ts";
import { GiB } from "../../format/sizes.ts";
import { makeSmallPackage } from "../fixtures/small-package.ts";
import {
  diskSerial,
  makeStashDisk,
  readFirstBytes,
  readOldFile,
  type StashDisk,
  type StashDiskOptions,
} from "../fixtures/stash-disk.ts";

/** busybox asks the terminal where its cursor is. */
const prompt = /# (?:\u001b\[6n)?$/m;
let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const action of cleanUp.toReversed()) await action();
  cleanUp = [];
});

function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-steps-"));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function makeSmallConversion(change: Partial<StashDiskOptions> = {}): Promise<StashDisk> {
  const folder = scratchFolder();
  const diskBytes = await makeSmallPackage(join(folder, "package"), folder);
  return makeStashDisk(folder, join(folder, "package"), { diskBytes, role: "dev", ...change });
}

/** The conversion's disk with its kernel and ramdisk booted straight; ends where it would restart. */
async function boot(conversion: StashDisk, commandLine: string): Promise<RunningMachine> {
  const machine = await launch(
    {
      name: "small-conversion",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [
        { file: conversion.disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true },
      ],
      nics: [],
      boot: { kernel: conversion.kernel, initrd: conversion.ramdisk, append: commandLine },
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(conversion.kernel), consoleLog: `${conversion.disk}.log` },
  );
  cleanUp.push(() => machine.kill());
  return machine;
}

test("a failure after the first write ends at a prompt, the agent started again converges, and the rescue system finds it all", async () => {
  const conversion = await makeSmallConversion();
  // Without the resume loader, as where the new layout has no room for the package.
  const machine = await boot(conversion, `${conversion.commandLine} dualroot.without=arm dualroot.break`);
  const { console } = machine;
  await console.waitFor(/dualroot\.break was given/, 120);
  await console.waitFor(prompt, 60);
  // Its answer is asked for right after the new table was written.
  console.type("mv /usr/sbin/sgdisk /run/sgdisk; exit");
  await console.waitFor(/left out for a test, this gateway may be LOST: arm/, 240);
  await console.waitFor(/Write the partition table +FAILED: sgdisk is not installed/, 240);
  await console.waitFor(/do NOT switch the machine off/, 20);
  await console.waitFor(/the agent ended \(exit code 5\)/, 20);
  await console.waitFor(prompt, 60);
  console.type("head -c 520 /dev/vda | tail -c 8; echo");
  await console.waitFor(/^EFI PART\r?\n/m, 30, "the new table: the fault came after the first write");
  console.type("mv /run/sgdisk /usr/sbin/sgdisk; node /usr/lib/dualroot/agent.mjs ramdisk");
  await console.waitFor(/dualroot: converted/, 240);
  await machine.ended(60);

  const rescue = await boot(conversion, "dualroot.mode=rescue quiet console=ttyS0,115200");
  await rescue.console.waitFor(/dualroot: rescue system/, 120);
  await rescue.console.waitFor(prompt, 60);
  rescue.console.type("stty -echo; PS1=; dmesg -n 1");
  const { output } = await rescue.console.run(
    [
      "mkdir -p /mnt /mnt2",
      "lvm vgchange -ay >/dev/null 2>&1",
      "mount -o ro /dev/mapper/VA-root_a /mnt",
      "mount -o ro /dev/mapper/VA-data /mnt2",
      "cat /mnt/etc/hostname /mnt/etc/site/key /mnt/etc/kept",
      "stat -c 'links %h' /mnt/etc/kept",
      "stat -c 'size %s blocks %b' /mnt/var/lib/sparse",
      "getfattr --absolute-names -n user.bytes -e hex /mnt/etc/kept | grep user",
      "getfattr --absolute-names -n security.capability -e hex /mnt/bin/busybox | grep capability",
      "grep mapper /mnt/etc/fstab",
      "cat /mnt2/dualroot/report.json",
    ].join("; "),
    60,
  );
  expect(output).toMatch(
    /^small-box\nsite key\ncontent\nlinks 2\nsize 8388608 blocks 0\nuser.bytes=0x00ff01\n/,
  );
  expect(output).toContain("security.capability=0x0100000200200000000000000000000000000000");
  expect(output).toMatch(/^\/dev\/mapper\/VA-root_a \/ ext4/m);
  const report = conversionReportSchema.parse(JSON.parse(output.slice(output.indexOf("{"))));
  expect(report).toMatchObject({ outcome: "converted", release: "small 1", diskChanged: true, problems: [] });
  expect(report.identity).toContainEqual({
    item: "hostname",
    old: "small-box",
    new: "small-box",
    equal: true,
  });
  expect(report.ramdisk?.peakMiB).toBeGreaterThan(100);
  expect(report.notes.join("\n")).toMatch(/files were read back equal to the package/);
});

test.each(["ram", "disk"] as const)(
  "a package that was damaged in the stash, %s mode: the old system keeps its disk and finds the reason",
  async (mode) => {
    const conversion = await makeSmallConversion({
      mode,
      damage: async (stash) => {
        const file = await open(join(stash, "package", packageFiles.rootfs), "r+");
        await file.write(Buffer.from([0x5a]), 0, 1, 100_000);
        await file.close();
      },
    });
    const before = await readFirstBytes(conversion.disk, conversion.partitionStart);
    const machine = await boot(conversion, conversion.commandLine);
    await machine.console.waitFor(/rootfs\.tar\.xz was changed/, 180);
    await machine.console.waitFor(/The disk was not converted\. The old system starts again/, 60);
    await machine.ended(60);
    expect((await readFirstBytes(conversion.disk, conversion.partitionStart)).equals(before)).toBe(true);
    const report = conversionReportSchema.parse(
      JSON.parse(await readOldFile(conversion, "/var/lib/dualroot/report.json")),
    );
    expect(report).toMatchObject({
      outcome: "refused",
      diskChanged: false,
      problems: [{ code: "file-mismatch" }],
    });
    expect(await readOldFile(conversion, "/var/lib/dualroot/conversion.log")).toMatch(/blockdev --setro/);
  },
);

test("an agent that is killed before the first write: the old system starts again without anybody's help", async () => {
  const conversion = await makeSmallConversion();
  const machine = await boot(conversion, `${conversion.commandLine} dualroot.break`);
  await machine.console.waitFor(/dualroot\.break was given/, 120);
  await machine.console.waitFor(prompt, 60);
  machine.console.type("(until pidof node; do sleep 0.1; done; sleep 1; killall -9 node) & exit");
  await machine.console.waitFor(/the agent ended \(exit code 137\)/, 120);
  await machine.console.waitFor(/Nothing was written to the disk/, 20);
  await machine.ended(120);
});
