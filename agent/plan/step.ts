import type { FilesystemType } from "../../format/layout.ts";
import type { NetworkFamily } from "../../format/manifest.ts";
import type { PlannedTable } from "../../format/partition-table.ts";

export type { PlannedTable } from "../../format/partition-table.ts";

/** Range of LVM physical extents on the one physical volume: `first` .. `first + count - 1`. */
export interface ExtentRange {
  first: number;
  count: number;
}

/** Half-open range of bytes on the disk. */
export interface ByteRange {
  startBytes: number;
  sizeBytes: number;
}

export interface PlannedVolume {
  name: string;
  device: string;
  extents: ExtentRange[];
  filesystem: FilesystemType;
  filesystemUuid: string;
  label: string;
  mountPoint: string;
  slot?: "A" | "B";
  /** Slot B gets a filesystem but no content, and no line in fstab. */
  populated: boolean;
}

/** What each step needs; nothing else may be looked up while doing it. */
export interface StepArgs {
  /** Unmount, deactivate every volume group and holder of the disk, and fail if anything still holds it. */
  "release-old-system": { disk: string; volumeGroups: string[] };
  /** Zero the places where old table, LVM, RAID and filesystem signatures lie. First destructive step. */
  "wipe-signatures": { disk: string; ranges: ByteRange[] };
  /** Write the GPT, then wait until the kernel's view equals it. */
  "write-partition-table": { disk: string; table: PlannedTable };
  "create-volume-group": { device: string; physicalVolumeUuid: string; name: string; extentBytes: number };
  /** Linear volumes on exactly these extents; read back from LVM and compared. */
  "create-volumes": { group: string; device: string; volumes: { name: string; extents: ExtentRange[] }[] };
  "make-filesystem": {
    device: string;
    type: FilesystemType;
    uuid: string;
    label: string;
    readByGrub: boolean;
  };
  "mount-target": { mounts: { device: string; type: FilesystemType; path: string }[] };
  "extract-rootfs": { target: string; archiveBytes: number; unpackedBytes: number };
  "restore-identity": { target: string; network: NetworkFamily };
  "write-fstab": { target: string; lines: string[] };
  "rebuild-initramfs": {
    target: string;
    tool: "dracut" | "initramfs-tools";
    kernelVersion: string;
    initramfs: string;
  };
  /** GRUB files, menu, grubenv and rescue ramdisk on /boot; slot.cfg inside the slot. The disk does not boot from it yet. */
  "install-boot-files": {
    target: string;
    bootFolder: string;
    volumeGroup: string;
    slots: { name: "A" | "B"; device: string; populated: boolean }[];
    kernel: string;
    initramfs: string;
    commandLine: string;
    consoles: string[];
  };
  /** Read from the medium, caches dropped: digests of the root filesystem's files against the package's index. */
  "verify-target": { target: string; bootFolder: string; indexSha256: string };
  /** Report and log onto the target's /data (or, without one, into the root volume). */
  "save-report": { target: string; folder: string };
  "unmount-target": { target: string };
  /** core.img into the BIOS boot partition, then sector 0: the last write, after which the disk boots the new system. */
  "write-boot-sector": { disk: string; biosBoot: ByteRange };
}

export type StepKind = keyof StepArgs;
export type StepOf<K extends StepKind> = { kind: K; title: string } & StepArgs[K];
export type Step = { [K in StepKind]: StepOf<K> }[StepKind];

/** The whole conversion as a value: printed by `--dry-run`, compared by tests, run by the ramdisk. */
export interface ConversionPlan {
  format: 1;
  release: string;
  disk: string;
  table: PlannedTable;
  volumeGroup: string;
  extentBytes: number;
  /** Extents no volume may lie on; empty in ram mode. */
  reserved: ExtentRange[];
  volumes: PlannedVolume[];
  bootFilesystemUuid: string;
  steps: Step[];
}
