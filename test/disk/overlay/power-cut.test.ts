import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseSlotConfiguration } from "../../../agent/boot/slot-configuration.ts";
import { createRun } from "../../../agent/system/run.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { silent } from "../../../format/events.ts";
import { decodeGrubenv, encodeSlotEnvironment } from "../../../format/grubenv.ts";
import { MiB } from "../../../format/sizes.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { tinyInitramfs } from "../grub/tiny-system.ts";

/**
 * The power goes the moment our scripts have returned. GRUB replays no journal: what it reads then is what debugfs reads
 * from the image without replaying it. A file that was renamed into place and synced alone shows that the journal does hold things back.
 */
const init = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do insmod /modules/$module.ko; done
mount -t ext4 -o commit=300 /dev/vda /boot
echo new >/boot/control.new; sync
echo kernel >/boot/vmlinuz-2; echo initramfs >/boot/initrd.img-2
/usr/lib/dualroot/select-kernel
sh /usr/lib/dualroot/grub-editenv /boot/grubenv set A_OK=1 A_TRY=0
mv /boot/control.new /boot/control; dd if=/dev/null of=/boot/control conv=notrunc,fsync
echo CUT NOW
exec sleep 1000
`;

const run = createRun(silent);
let folder: string;
let image: string;
const onDisk = async (path: string, from = image): Promise<Buffer> => {
  const copy = join(folder, "copy");
  await rm(copy, { force: true });
  await run("debugfs", ["-R", `dump ${path} ${copy}`, from]);
  return readFile(copy);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-cut-"));
  image = join(folder, "boot.img");
  const tree = join(folder, "tree");
  await mkdir(tree);
  await writeFile(
    join(tree, "grubenv"),
    encodeSlotEnvironment({ order: ["A", "B"], A: { ok: true, tries: 2 }, B: { ok: false, tries: 0 } }),
  );
  await writeFile(join(tree, "control"), "old\n");
  await writeFile(join(tree, "slot.cfg"), "set dualroot_kernel='/boot/vmlinuz-1'\n");
  await run("mke2fs", ["-q", "-t", "ext4", "-d", tree, image, "64M"]);

  const kernel = await debianKernel("cloud-amd64");
  const drivers = join(kernel.modulesFolder, "kernel/drivers");
  const virtio = ["virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"];
  const initramfs = join(folder, "initramfs");
  await writeFile(
    initramfs,
    await tinyInitramfs(init, {
      ...Object.fromEntries(virtio.map((name) => [`modules/${name}.ko`, join(drivers, `virtio/${name}.ko`)])),
      "modules/virtio_blk.ko": join(drivers, "block/virtio_blk.ko"),
      "usr/lib/dualroot/select-kernel": "rootfs-overlay/usr/lib/dualroot/select-kernel",
      "usr/lib/dualroot/grub-editenv": "rootfs-overlay/usr/lib/dualroot/grub-editenv",
    }),
  );
  const machine = await launch(
    {
      name: "power-cut",
      machine: "q35",
      memoryBytes: 512 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: image, format: "raw", readOnly: false, serial: "boot", disposable: true }],
      nics: [],
      boot: { kernel: kernel.image, initrd: initramfs, append: "console=ttyS0 quiet panic=30" },
      display: "none",
      onReset: "stop",
    },
    { accelerator: "tcg", consoleLog: join(folder, "console.log") },
  );
  try {
    await machine.console.waitFor(/CUT NOW/, 90);
  } finally {
    await machine.kill();
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the cut was real: a rename that is safe for Linux is in the journal only", async () => {
  expect((await onDisk("/control")).toString()).toBe("old\n");
  const replayed = join(folder, "replayed.img");
  await copyFile(image, replayed);
  // Exit code 1: something was mended, namely the journal replayed.
  await run("e2fsck", ["-fy", replayed], { acceptExitCodes: [1] });
  expect((await onDisk("/control", replayed)).toString()).toBe("new\n");
});

test("GRUB reads the new slot.cfg, and finds the kernel it names", async () => {
  expect(parseSlotConfiguration((await onDisk("/slot.cfg")).toString())?.kernel).toBe("/boot/vmlinuz-2");
  expect((await onDisk("/vmlinuz-2")).toString()).toBe("kernel\n");
  expect((await onDisk("/initrd.img-2")).toString()).toBe("initramfs\n");
});

test("GRUB reads the new grubenv", async () => {
  expect(decodeGrubenv(await onDisk("/grubenv"))?.get("A_TRY")).toBe("0");
});
