import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type RunningMachine } from "../../../builder/vm/launch.ts";
import { decodeGrubenv, encodeSlotEnvironment } from "../../../format/grubenv.ts";
import { MiB } from "../../../format/sizes.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeBootDisk, readBootFiles } from "./boot-disk.ts";
import { tellAndRestart, tinyInitramfs } from "./tiny-system.ts";

/** One machine from its first sector to the rescue ramdisk: A is never marked good, B has no kernel that can be loaded. */
let disk: string;
let machine: RunningMachine;

beforeAll(async () => {
  const kernel = await readFile((await debianKernel("cloud-amd64")).image);
  const initramfs = await tinyInitramfs(tellAndRestart);
  const slotCfg = [
    "set dualroot_kernel='/boot/vmlinuz-1'",
    "set dualroot_initrd='/boot/initrd.img-1'",
    "set dualroot_arguments='quiet odd=$x;y console=ttyS0,115200'",
    "",
  ].join("\n");
  disk = await makeBootDisk({
    boot: {
      "/grub/grubenv": encodeSlotEnvironment({
        order: ["A", "B"],
        A: { ok: true, tries: 1 },
        B: { ok: true, tries: 2 },
      }),
      "/vmlinuz-convert": kernel,
      "/initramfs-convert.img": initramfs,
    },
    slotA: {
      "/boot/slot.cfg": slotCfg,
      "/boot/vmlinuz-1": kernel,
      "/boot/initrd.img-1": initramfs,
    },
    slotB: {
      "/boot/slot.cfg": slotCfg,
      "/boot/vmlinuz-1": "no kernel",
      "/boot/initrd.img-1": initramfs,
    },
  });
  machine = await launch(
    {
      name: "grub-boots",
      machine: "q35",
      memoryBytes: 512 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: "boot", disposable: true }],
      nics: [],
      display: "none",
      onReset: "restart",
    },
    { accelerator: "tcg", consoleLog: `${dirname(disk)}/console.log` },
  );
});
afterAll(async () => {
  await machine.kill();
  await rm(dirname(disk), { recursive: true, force: true });
});

test("slot A is tried until it is used up, with the command line of its slot.cfg", async () => {
  await machine.console.waitFor(/Slot A/, 60, "the menu on the serial console");
  await machine.console.waitFor(/Slot B/, 10);
  await machine.console.waitFor(/Rescue ramdisk/, 10);
  for (const attempt of [2, 3]) {
    await machine.console.waitFor(new RegExp(`booting slot A, attempt ${attempt} of 3`), 60);
    const [, words] = await machine.console.waitFor(/BOOTED BOOT_IMAGE=(.*)\r/, 60);
    expect(words).toBe(
      "(lvm/VA-root_a)/boot/vmlinuz-1 root=/dev/mapper/VA-root_a ro rauc.slot=A panic=60 rd.shell=0 rd.emergency=reboot quiet odd=$x;y console=ttyS0,115200",
    );
  }
});

test("slot B, whose kernel cannot be loaded, costs a counted try and a restart", async () => {
  await machine.console.waitFor(/booting slot B, attempt 3 of 3/, 60);
  await machine.console.waitFor(/slot B has no kernel that can be loaded/, 30);
  await machine.console.waitFor(/restarting in 10 seconds/, 10);
  expect(await countersOnDisk()).toMatchObject({ A_TRY: "3", B_TRY: "3" });
});

test("then the rescue ramdisk comes, and the counters are on the disk", async () => {
  await machine.console.waitFor(/booting the rescue ramdisk/, 60);
  const [, words] = await machine.console.waitFor(/BOOTED BOOT_IMAGE=(.*)\r/, 60);
  expect(words).toBe("(hd0,gpt2)/vmlinuz-convert dualroot.mode=rescue panic=30 console=ttyS0,115200");
  expect(await countersOnDisk()).toEqual({ ORDER: "A B", A_OK: "1", A_TRY: "3", B_OK: "1", B_TRY: "3" });
});

async function countersOnDisk(): Promise<Record<string, string>> {
  const folder = await readBootFiles(disk, "/grub");
  return Object.fromEntries(decodeGrubenv(await readFile(`${folder}/grubenv`)) ?? []);
}
