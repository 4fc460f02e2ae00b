import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addGrubEntry, renderGrubEntry } from "../../agent/stage1/boot/grub-entry.ts";
import { armGrubenv } from "../../agent/stage1/boot/grubenv-file.ts";
import { createRun } from "../../agent/system/run.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { silent } from "../../format/events.ts";
import { decodeGrubenv } from "../../format/grubenv.ts";
import { MiB } from "../../format/sizes.ts";
import { debianKernel } from "../fixtures/kernels.ts";
import { makeBootDisk, readBootFiles, type Files } from "./grub/boot-disk.ts";
import { tellAndRestart, tinyInitramfs } from "./grub/tiny-system.ts";

/** What grub-mkconfig writes around a menu (00_header and 41_custom of GRUB 2.02 and 2.06), with one old system in it. */
const oldMenu = `
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi
set timeout=1
menuentry 'Old system' {
  linux /old-kernel old console=ttyS0,115200
  initrd /old-initramfs
}
menuentry 'Another' {
  echo another
}
if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
elif [ -z "\${config_directory}" -a -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi
`;
/** Set by the test's own label below, as a boot filesystem's UUID is not known before it is made. */
const bootUuid = "5d1c5a0e-3f5e-4a3b-9f43-6f2f2f0b7c11";

let kernel: Buffer;
let initramfs: Buffer;
let armed: Buffer;
const disks: string[] = [];
const machines: RunningMachine[] = [];

beforeAll(async () => {
  kernel = await readFile((await debianKernel("cloud-amd64")).image);
  initramfs = await tinyInitramfs(tellAndRestart);
  const folder = await mkdtemp(join(tmpdir(), "dualroot-grubenv-"));
  await writeFile(join(folder, "grubenv"), "");
  await armGrubenv(join(folder, "grubenv"));
  armed = await readFile(join(folder, "grubenv"));
  await rm(folder, { recursive: true });
});
afterAll(async () => {
  for (const machine of machines) await machine.kill();
  for (const disk of disks) await rm(dirname(disk), { recursive: true, force: true });
});

async function start(extra: Files, readOnly = false): Promise<{ disk: string; machine: RunningMachine }> {
  const entry = renderGrubEntry({
    filesystemUuid: bootUuid,
    filesystemType: "ext4",
    tableType: "gpt",
    folder: "/dualroot",
    commandLine: "dualroot.mode=convert panic=30 console=ttyS0,115200",
  });
  const disk = await makeBootDisk({
    boot: {
      "/grub/grub.cfg": oldMenu,
      "/grub/grubenv": armed,
      "/grub/custom.cfg": addGrubEntry("# the site's own\n", entry),
      "/old-kernel": kernel,
      "/old-initramfs": initramfs,
      "/dualroot/vmlinuz-convert": kernel,
      "/dualroot/initramfs-convert.img": initramfs,
      ...extra,
    },
    slotA: {},
    slotB: {},
  });
  disks.push(disk);
  // Partition 2 begins at 3 MiB, see boot-disk.ts.
  await createRun(silent)("tune2fs", ["-U", bootUuid, `${disk}?offset=${3 * MiB}`]);
  const machine = await launch(
    {
      name: "stage1-grub-entry",
      machine: "q35",
      memoryBytes: 512 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly, serial: "boot", disposable: true }],
      nics: [],
      display: "none",
      onReset: "restart",
    },
    { accelerator: "tcg", consoleLog: `${dirname(disk)}/console.log` },
  );
  machines.push(machine);
  return { disk, machine };
}

async function grubenvOn(disk: string): Promise<Map<string, string> | undefined> {
  return decodeGrubenv(await readFile(await readBootFiles(disk, "/grub/grubenv")));
}

test("the ramdisk boots once, and the next reset is the old system", async () => {
  const { disk, machine } = await start({});
  const [, ramdisk] = await machine.console.waitFor(/BOOTED BOOT_IMAGE=(.*)\r/, 90);
  expect(ramdisk).toBe("/dualroot/vmlinuz-convert dualroot.mode=convert panic=30 console=ttyS0,115200");
  const [, after] = await machine.console.waitFor(/BOOTED BOOT_IMAGE=(.*)\r/, 90);
  expect(after).toBe("/old-kernel old console=ttyS0,115200");
  await machine.kill();
  expect(Object.fromEntries((await grubenvOn(disk))!)).toEqual({ next_entry: "", dualroot_armed: "0" });
});

test("a ramdisk that is gone: the old system boots, without a key being pressed", async () => {
  const { machine } = await start({
    "/dualroot/initramfs-convert.img": "",
    "/dualroot/vmlinuz-convert": "no kernel",
  });
  const [, words] = await machine.console.waitFor(/BOOTED BOOT_IMAGE=(.*)\r/, 90);
  expect(words).toBe("/old-kernel old console=ttyS0,115200");
  await machine.kill();
});

test("where GRUB cannot write, so cannot disarm, the ramdisk is never booted", async () => {
  const { disk, machine } = await start({}, true);
  const [, words] = await machine.console.waitFor(/BOOTED BOOT_IMAGE=(.*)\r/, 90);
  expect(words).toBe("/old-kernel old console=ttyS0,115200");
  await machine.kill();
  // The fault did happen: the disk still says armed.
  expect((await grubenvOn(disk))?.get("dualroot_armed")).toBe("1");
});
