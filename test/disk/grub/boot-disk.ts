import { mkdir, mkdtemp, open, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fillMenu } from "../../../agent/boot/fill-menu.ts";
import { writeBootSector } from "../../../agent/steps/write-boot-sector.ts";
import { createRun } from "../../../agent/system/run.ts";
import { buildBootFiles } from "../../../builder/boot/build-boot-files.ts";
import { silent } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";
import { lvmImage } from "./lvm-image.ts";

export type Files = Record<string, string | Uint8Array>;

export interface BootDiskContent {
  /** Below the top of partition 2. `/grub/grub.cfg` replaces the menu. */
  boot: Files;
  slotA: Files;
  slotB: Files;
  /** Changes the menu's text, e.g. to end it before the menu. */
  menu?: (text: string) => string;
  /** Room on partition 2; 40 MiB. */
  bootBytes?: number;
  /** A whole system for slot A, as a folder. */
  slotATree?: string;
  /** Size of slot A; 24 MiB. */
  slotABytes?: number;
}

const run = createRun(silent);
const usualBootBytes = 40 * MiB;
const slotBytes = 24 * MiB;
const bootStart = 3 * MiB;

/**
 * A disk as a conversion leaves it, made without device-mapper or loop devices: our boot sector and core, written by the
 * agent's own step, the menu and grubenv on partition 2, and two slots in LVM.
 */
export async function makeBootDisk(content: BootDiskContent): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-grub-"));
  const grubFolder = join(folder, "runtime/usr/lib/dualroot/grub");
  await mkdir(grubFolder, { recursive: true });
  await buildBootFiles(grubFolder, silent);

  const template = await readFile(join(grubFolder, "grub.cfg.template"), "utf8");
  const menu = fillMenu(template, {
    slots: [
      { name: "A", device: "/dev/mapper/VA-root_a" },
      { name: "B", device: "/dev/mapper/VA-root_b" },
    ],
    consoles: ["console=ttyS0,115200"],
  });
  const bootBytes = content.bootBytes ?? usualBootBytes;
  const volumesStart = bootStart + bootBytes;
  const volumes = lvmImage("VA", [
    {
      name: "root_a",
      content: await filesystem(
        folder,
        "a",
        content.slotABytes ?? slotBytes,
        content.slotA,
        content.slotATree,
      ),
    },
    { name: "root_b", content: await filesystem(folder, "b", slotBytes, content.slotB) },
  ]);

  const disk = join(folder, "disk.img");
  const file = await open(disk, "w");
  await file.truncate(volumesStart + volumes.length + 2 * MiB);
  await file.close();
  await run("sgdisk", [
    `--new=1:${sectors(MiB, 2 * MiB)}`,
    "--typecode=1:ef02",
    `--new=2:${sectors(bootStart, bootBytes)}`,
    `--new=3:${sectors(volumesStart, volumes.length)}`,
    "--typecode=3:8e00",
    disk,
  ]);
  const boot = await filesystem(folder, "boot", bootBytes, {
    "/grub/grub.cfg": content.menu?.(menu) ?? menu,
    ...content.boot,
  });
  await writeAt(disk, bootStart, boot);
  await writeAt(disk, volumesStart, volumes);
  await writeBootSector(
    {
      kind: "write-boot-sector",
      title: "",
      disk,
      biosBoot: { startBytes: MiB, sizeBytes: 2 * MiB },
    },
    { run, runtimeFolder: join(folder, "runtime"), without: new Set() },
  );
  return disk;
}

/** Files below `path` on partition 2 as they lie on the disk now, journal not replayed: what GRUB would read. */
export async function readBootFiles(disk: string, path: string): Promise<string> {
  const partition = join(dirname(disk), "boot-read.img");
  await run("dd", [
    `if=${disk}`,
    `of=${partition}`,
    "bs=1M",
    `skip=${bootStart / MiB}`,
    `count=${usualBootBytes / MiB}`,
  ]);
  const target = await mkdtemp(join(dirname(disk), "read-"));
  await run("debugfs", ["-R", `rdump ${path} ${target}`, partition]);
  return join(target, path.slice(path.lastIndexOf("/") + 1));
}

function sectors(start: number, bytes: number): string {
  return `${start / 512}:${(start + bytes) / 512 - 1}`;
}

async function filesystem(
  folder: string,
  name: string,
  bytes: number,
  files: Files,
  tree = join(folder, `tree-${name}`),
): Promise<Buffer> {
  await mkdir(tree, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const image = join(folder, `${name}.img`);
  await run("mke2fs", [
    "-q",
    "-t",
    "ext4",
    "-O",
    "^metadata_csum_seed,^orphan_file",
    "-L",
    name === "boot" ? "dualroot-boot" : name,
    "-d",
    tree,
    image,
    `${bytes / 1024}`,
  ]);
  return readFile(image);
}

async function writeAt(disk: string, position: number, bytes: Buffer): Promise<void> {
  const file = await open(disk, "r+");
  try {
    await file.write(bytes, 0, bytes.length, position);
  } finally {
    await file.close();
  }
}
