import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeBootImage, placeCoreImage } from "../../../agent/boot/core-image.ts";
import { createRun } from "../../../agent/system/run.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { silent } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeInitramfs } from "./make-initramfs.ts";
import { makeOldTree, type OldStack } from "./old-tree.ts";

const run = createRun(silent, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });

export const oldDiskBytes = 960 * MiB;
export const oldDiskSerial = "tiny-gateway";
const grubFolder = "/usr/lib/grub/i386-pc";

const grubModules = "biosdisk part_msdos ext2 xfs lvm normal linux configfile echo serial test boot".split(
  " ",
);
const grubPrefix: Record<OldStack, string> = {
  ext4: "(hd0,msdos1)/boot/grub",
  "xfs-on-lvm": "(lvm/old-root)/boot/grub",
};

/** The old gateway's disk, raw: MBR, GRUB in the gap behind it, and one partition. Made by a VM, as LVM needs a kernel. */
export async function makeOldDisk(disk: string, stack: OldStack): Promise<void> {
  const kernel = await debianKernel("cloud-amd64");
  const folder = await mkdtemp(join(tmpdir(), "dualroot-old-"));
  try {
    const tree = join(folder, "tree");
    await mkdir(tree);
    await makeOldTree(tree, kernel, stack);
    const archive = join(folder, "tree.tar");
    const words = [
      "--format=posix",
      "--numeric-owner",
      "--owner-map=/dev/null",
      "--xattrs",
      "--xattrs-include=*",
    ];
    await run("tar", [...words, "-C", tree, "-cf", archive, "."]);
    const initrd = join(folder, "install.img");
    await makeInitramfs(initrd, kernel, {
      filesystems: ["ext4", "xfs"],
      init: "install-old.sh",
      programs: ["tar", "mke2fs", "mkfs.xfs"],
    });
    await truncateNew(disk, oldDiskBytes);
    await run("sfdisk", ["-q", disk], {
      input: `label: dos\nlabel-id: 0x12345678\n2048,,${stack === "ext4" ? "83" : "8e"},*\n`,
    });
    const machine = await launch(
      {
        name: "power-old-disk",
        machine: "q35",
        memoryBytes: 512 * MiB,
        cpus: 1,
        processor: "plain",
        drives: [
          { file: disk, format: "raw", readOnly: false, serial: oldDiskSerial, disposable: true },
          { file: archive, format: "raw", readOnly: true, serial: "tree", disposable: true },
        ],
        nics: [],
        boot: { kernel: kernel.image, initrd, append: `console=ttyS0 quiet panic=-1 power.stack=${stack}` },
        display: "none",
        onReset: "stop",
      },
      { accelerator: "tcg", consoleLog: `${disk}.log` },
    );
    try {
      await machine.console.waitFor(/INSTALL-DONE/, 240);
      await machine.ended(60);
    } finally {
      await machine.kill();
    }
    await installGrub(disk, join(folder, "core.img"), stack);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function truncateNew(file: string, bytes: number): Promise<void> {
  const handle = await open(file, "w");
  await handle.truncate(bytes);
  await handle.close();
}

/** As grub-install does on an MBR disk: the core image in the sectors behind the table. */
async function installGrub(disk: string, core: string, stack: OldStack): Promise<void> {
  await run("grub-mkimage", [
    ...["--format=i386-pc", `--directory=${grubFolder}`, `--prefix=${grubPrefix[stack]}`, `--output=${core}`],
    ...grubModules,
  ]);
  const file = await open(disk, "r+");
  try {
    const sector0 = Buffer.alloc(512);
    await file.read(sector0, 0, 512, 0);
    const boot = placeBootImage(await readFile(join(grubFolder, "boot.img")), sector0, 1);
    await file.write(boot, 0, 512, 0);
    const placed = placeCoreImage(await readFile(core), 1);
    if (placed.length > MiB - 512) throw new Error("GRUB's core does not fit in front of the partition");
    await file.write(placed, 0, placed.length, 512);
  } finally {
    await file.close();
  }
}
