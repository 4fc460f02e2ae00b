import { mkdtempSync, rmSync } from "node:fs";
import { copyFile, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, expect, test } from "vitest";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { GiB } from "../../format/sizes.ts";
import { makeSmallPackage } from "../fixtures/small-package.ts";
import { diskSerial, makeStashDisk, type StashDisk } from "../fixtures/stash-disk.ts";

/** busybox asks the terminal where its cursor is. */
const prompt = /# (?:\u001b\[6n)?$/m;
const folder = mkdtempSync(join(tmpdir(), "dualroot-resume-"));
let template: StashDisk;
let machines: RunningMachine[] = [];
beforeAll(async () => {
  const diskBytes = await makeSmallPackage(join(folder, "package"), folder);
  template = await makeStashDisk(folder, join(folder, "package"), { diskBytes, role: "dev", mode: "disk" });
  return () => rmSync(folder, { recursive: true });
});
afterEach(async () => {
  for (const machine of machines) await machine.kill();
  machines = [];
});

async function freshDisk(name: string): Promise<string> {
  const disk = join(folder, `${name}.img`);
  await copyFile(template.disk, disk);
  return disk;
}

/** By BIOS from the disk alone; with a command line, kernel and ramdisk come from outside as stage 1 would start them. */
async function boot(disk: string, commandLine?: string): Promise<RunningMachine> {
  const { kernel, ramdisk } = template;
  const machine = await launch(
    {
      name: "resume",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      drives: [{ file: disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true }],
      nics: [],
      ...(commandLine === undefined ? {} : { boot: { kernel, initrd: ramdisk, append: commandLine } }),
      display: "none",
      onReset: commandLine === undefined ? "restart" : "stop",
    },
    { accelerator: await chooseAccelerator(kernel), consoleLog: `${disk}.log` },
  );
  machines.push(machine);
  return machine;
}

/** What GRUB's menu of the new system says; the small root has no kernel that could boot. */
const newMenu = /Slot A/;

test.each([
  ["while the volumes are made", /Create the volumes root_a/],
  ["while the new system is unpacked", /Unpack the new system/],
])("a power cut %s: the disk alone carries on to the end", async (what, moment) => {
  const disk = await freshDisk(what.replaceAll(" ", "-"));
  const first = await boot(disk, template.commandLine);
  await first.console.waitFor(/Arm the resume loader/, 120);
  await first.console.waitFor(moment, 120);
  await sleep(Math.random() * 2000);
  await first.kill();

  const second = await boot(disk);
  await second.console.waitFor(/dualroot: the conversion of this gateway was interrupted/, 60);
  await second.console.waitFor(/dualroot: resumed; start 1, 0 failures so far/, 120);
  await second.console.waitFor(/dualroot: converted/, 240);
  await second.console.waitFor(newMenu, 60);
});
