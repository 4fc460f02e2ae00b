import { lvmPackage, type ToolPackage } from "../ramdisk/tools.ts";

/** A package whose programs go in where the build host has it; a helper without them still does everything else. */
export interface HelperToolPackage extends ToolPackage {
  isOptional?: true;
}

/**
 * The one list of what the helper's ramdisk holds: edit it to make the helper larger or smaller, or add programs for one run
 * with `--tool`. What is not here is busybox's. Compression is left to the host on purpose: in an emulated processor it is
 * twenty times slower.
 */
export const helperToolPackages: readonly HelperToolPackage[] = [
  lvmPackage,
  { package: "dmsetup", tools: ["dmsetup"] },
  { package: "gdisk", tools: ["sgdisk"] },
  { package: "fdisk", tools: ["sfdisk"] },
  {
    package: "util-linux",
    tools: ["blkid", "lsblk", "wipefs", "blockdev", "partx", "fsfreeze", "fstrim", "blkdiscard", "findmnt"],
  },
  { package: "util-linux", tools: ["mkswap", "fallocate", "setpriv"] },
  { package: "mount", tools: ["mount", "umount", "losetup"] },
  {
    package: "e2fsprogs",
    tools: ["mke2fs", "e2fsck", "resize2fs", "tune2fs", "dumpe2fs", "debugfs", "chattr", "lsattr"],
    links: {
      "mkfs.ext2": "mke2fs",
      "mkfs.ext3": "mke2fs",
      "mkfs.ext4": "mke2fs",
      "fsck.ext4": "e2fsck",
      e2label: "tune2fs",
    },
  },
  { package: "xfsprogs", tools: ["mkfs.xfs", "xfs_repair", "xfs_growfs", "xfs_db"] },
  {
    package: "dosfstools",
    tools: ["mkfs.fat", "fsck.fat", "fatlabel"],
    links: { "mkfs.vfat": "mkfs.fat", "fsck.vfat": "fsck.fat" },
    isOptional: true,
  },
  { package: "btrfs-progs", tools: ["btrfs", "mkfs.btrfs"], isOptional: true },
  { package: "tar", tools: ["tar"] },
  // Lists a tree with all that is known of each entry, which busybox's does not.
  { package: "findutils", tools: ["find"] },
  // Writes in 128 KiB where busybox's writes in 4: streams to the host take a fifth of the time.
  { package: "coreutils", tools: ["cat"] },
  { package: "attr", tools: ["getfattr", "setfattr"] },
  { package: "acl", tools: ["getfacl", "setfacl"] },
];

/** Without these the helper cannot work at all; all three are loaded before the first request. */
export const helperRequiredDrivers = ["virtio_pci", "virtio_console", "virtio_blk"] as const;

/** Loaded before a state is saved, so that they cost nothing in any later start. */
export const helperPreloadedDrivers = ["dm_mod", "ext4", "xfs"] as const;

/** Loaded by the kernel itself when something asks for them. */
export const helperDrivers = [
  ...helperRequiredDrivers,
  ...helperPreloadedDrivers,
  "dm_snapshot",
  "dm_mirror",
  "dm_thin_pool",
  "loop",
  "btrfs",
  "vfat",
  "isofs",
  "squashfs",
  "overlay",
  "nls_cp437",
  "nls_ascii",
  "nls_iso8859_1",
  "nls_utf8",
  // ext4, xfs and btrfs ask for a checksum by name, not by dependency.
  "crc32c_generic",
  "crc32c_intel",
  "libcrc32c",
] as const;
