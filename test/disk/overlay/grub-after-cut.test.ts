import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRun } from "../../../agent/system/run.ts";
import { launch, type RunningMachine } from "../../../builder/vm/launch.ts";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
import { silent } from "../../../format/events.ts";
import { decodeGrubenv, encodeSlotEnvironment } from "../../../format/grubenv.ts";
import { MiB } from "../../../format/sizes.ts";
import { damagedGrubenvs as allDamaged } from "../../fixtures/damaged-grubenv.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeBootDisk, readBootFiles, type Files } from "../grub/boot-disk.ts";
import { tinyInitramfs } from "../grub/tiny-system.ts";

/**
 * One disk, real GRUB, real ext4 with a journal that is written out late. Slot A repairs damaged files, activates slot B, and the
 * power goes. GRUB boots slot B, which replays the journal, marks itself good, and the power goes again.
 */
const init = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do insmod /modules/$module.ko; done
mkdir -p /boot/dualroot /run
mount -t ext4 -o commit=300 /dev/vda2 /boot/dualroot
env=/boot/dualroot/grub/grubenv
case $(cat /proc/cmdline) in
*rauc.slot=A*)
  for case in /boot/dualroot/cases/*; do
    mount -o bind "$case" /boot/dualroot/grub
    /usr/lib/dualroot/repair-grubenv && echo "REPAIRED $(cat "$case/title")."
    umount /boot/dualroot/grub
  done
  echo new >/boot/dualroot/control.new; sync
  mv /boot/dualroot/control.new /boot/dualroot/control; dd if=/dev/null of=/boot/dualroot/control conv=notrunc,fsync
  /usr/lib/dualroot/grub-editenv $env set "ORDER=B A" B_OK=1 B_TRY=0
  ;;
*)
  echo "REPLAYED control=$(cat /boot/dualroot/control) $(/usr/lib/dualroot/grub-editenv $env list | tr '\\n' ' ')END"
  /usr/lib/dualroot/grub-editenv $env set B_OK=1 B_TRY=0
  ;;
esac
echo CUT NOW
exec sleep 1000
`;

/** One of each kind; the unit tests have them all, a virtual machine takes seconds for each. */
const kinds = ["missing", "the first 512 bytes, which hold all words", "1025 bytes", "other bytes"];
const damagedGrubenvs = allDamaged.filter(({ title }) => kinds.includes(title));
const run = createRun(silent);
const library = "usr/lib/dualroot";
let disk: string;
let kernel: string;
let machine: RunningMachine | undefined;

async function start(boot?: VirtualMachine["boot"]): Promise<RunningMachine> {
  machine = await launch(
    {
      name: "grub-after-cut",
      machine: "q35",
      memoryBytes: 512 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: "boot", disposable: true }],
      nics: [],
      ...(boot ? { boot } : {}),
      display: "none",
      onReset: "stop",
    },
    { accelerator: "tcg", consoleLog: join(dirname(disk), "console.log") },
  );
  return machine;
}

async function untilCut(running: RunningMachine): Promise<string> {
  try {
    await running.console.waitFor(/CUT NOW/, 300);
    return running.console.lines.map(({ text }) => text).join("\n");
  } finally {
    await running.kill();
  }
}

beforeAll(async () => {
  const { image, modulesFolder } = await debianKernel("cloud-amd64");
  kernel = image;
  const drivers = join(modulesFolder, "kernel/drivers");
  const virtio = ["virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"];
  const initramfs = await tinyInitramfs(init, {
    ...Object.fromEntries(virtio.map((name) => [`modules/${name}.ko`, join(drivers, `virtio/${name}.ko`)])),
    "modules/virtio_blk.ko": join(drivers, "block/virtio_blk.ko"),
    ...Object.fromEntries(
      ["grub-editenv", "repair-grubenv", "slots.sh"].map((name) => [
        `${library}/${name}`,
        `rootfs-overlay/${library}/${name}`,
      ]),
    ),
  });
  const cases: Files = {};
  damagedGrubenvs.forEach(({ title, bytes }, index) => {
    cases[`/cases/${index}/title`] = title;
    cases[`/cases/${index}/grub.cfg`] = "";
    if (bytes) cases[`/cases/${index}/grubenv`] = bytes;
  });
  disk = await makeBootDisk({
    boot: {
      ...cases,
      "/control": "old\n",
      "/grub/grubenv": encodeSlotEnvironment({
        order: ["A", "B"],
        A: { ok: true, tries: 1 },
        B: { ok: false, tries: 0 },
      }),
      "/initramfs": initramfs,
    },
    slotA: {},
    slotB: {
      "/boot/slot.cfg":
        "set dualroot_kernel='/boot/vmlinuz'\nset dualroot_initrd='/boot/initrd'\nset dualroot_arguments='quiet console=ttyS0,115200'\n",
      "/boot/vmlinuz": await readFile(kernel),
      "/boot/initrd": initramfs,
    },
  });
  const initrd = join(await readBootFiles(disk, "/"), "initramfs");
  await untilCut(await start({ kernel, initrd, append: "console=ttyS0 quiet panic=30 rauc.slot=A" }));
}, 600_000);
afterAll(async () => {
  await machine?.kill();
  await rm(dirname(disk), { recursive: true, force: true });
});

test("what was repaired is where GRUB looks, journal or not", async () => {
  const folder = await readBootFiles(disk, "/cases");
  const found = await Promise.all(
    damagedGrubenvs.map(async (_, index) =>
      Object.fromEntries(decodeGrubenv(await readFile(join(folder, String(index), "grubenv"))) ?? []),
    ),
  );
  expect(found).toEqual(damagedGrubenvs.map(({ repaired }) => repaired));
});

test("the cut was real: a rename that is safe for Linux is in the journal only", async () => {
  const control = await readBootFiles(disk, "/grub").then(() =>
    run("debugfs", ["-R", "cat /control", join(dirname(disk), "boot-read.img")]),
  );
  expect(control.stdout).toBe("old\n");
});

test("GRUB boots the slot that was activated right before the cut; Linux replays the journal and still sees GRUB's count", async () => {
  const output = await untilCut(await start());
  expect(output).toContain("booting slot B, attempt 1 of 3");
  expect(output).toContain("REPLAYED control=new ORDER=B A A_OK=1 A_TRY=1 B_OK=1 B_TRY=1 END");
});

test("GRUB sees a slot marked good right before the next cut", async () => {
  const { console } = await start();
  await console
    .waitFor(/booting slot B, attempt (\d) of 3/, 60)
    .then(([, attempt]) => expect(attempt).toBe("1"));
});
