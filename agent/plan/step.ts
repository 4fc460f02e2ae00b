import type { FilesystemType } from "../../format/layout.ts";
import type { NetworkFamily } from "../../format/manifest.ts";
import type { PlannedTable } from "../../format/partition-table.ts";
import type { OldFilesystem } from "../../format/stash.ts";

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
  /** Its share of the free space after the commit; absent where it keeps its size. */
  growWeight?: number;
  /** Slot B gets a filesystem but no content, and no line in fstab. */
  populated: boolean;
}

/** What each step needs; nothing else may be looked up while doing it. */
export interface StepArgs {
  /** Archive of the old system's filesystems into the stash (`ranges`), or into memory. The disk is changed nowhere else. */
  "capture-old-system": {
    disk: string;
    wanted: "auto" | "require";
    filesystems: OldFilesystem[];
    volumeGroups: string[];
    ranges?: ByteRange[];
    /** What slot B holds. */
    capacityBytes: number;
  };
  /** Unmount, deactivate every volume group and holder of the disk, and fail if anything still holds it. */
  "release-old-system": { disk: string; volumeGroups: string[] };
  /**
   * Ram mode: write the stash from memory to where no volume will lie, and read it back; it overwrites the old system. `json`:
   * room for stash.json. What the arm step needs to know of it is set in the context.
   */
  "place-stash": {
    disk: string;
    files: { name: string; range: ByteRange }[];
    json: ByteRange;
    loader: ByteRange;
  };
  /**
   * Point of no return: write the resume loader into the stash, then sector 0 with its boot code and the protective MBR of
   * the new table, in one write.
   */
  "arm-resume-loader": { disk: string; table: PlannedTable; consoles: string[] };
  /** Zero the places where old table, LVM, RAID and filesystem signatures lie. */
  "wipe-signatures": { disk: string; ranges: ByteRange[] };
  /** Write the GPT, then wait until the kernel's view equals it. `sector0`: stays as it is when the resume loader is armed. */
  "write-partition-table": { disk: string; table: PlannedTable; sector0: "keep" | "protective-mbr" };
  "create-volume-group": { device: string; physicalVolumeUuid: string; name: string; extentBytes: number };
  /**
   * Linear volumes on exactly these extents; read back from LVM and compared. `kept`: extents that become the volume `stash`,
   * never zeroed nor activated; empty when there are none.
   */
  "create-volumes": {
    group: string;
    device: string;
    volumes: { name: string; extents: ExtentRange[] }[];
    kept: ExtentRange[];
  };
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
  /** The archive into slot B, read back, then adapted to its new disk: fstab, initramfs, slot.cfg, health gate. */
  "restore-old-system": {
    disk: string;
    device: string;
    type: FilesystemType;
    volumeGroup: string;
    /** Where the new system was unpacked: the tools that slots need come from there. */
    target: string;
    osName: string;
    kernelRelease: string;
    /** Of the old system. */
    commandLine: string;
    /** Mount points whose filesystems are part of the slot now. */
    merged: string[];
    /** Boot partition, and the volume both slots share. */
    shared: { source: string; mountPoint: string; type: FilesystemType }[];
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
  /**
   * Read from the medium: digests of the root filesystem's files against the package's index. Caches are dropped first, unless the
   * filesystem `isMountedAnew`, so that nothing of it is in them. `bootFolder`: where the rescue system lies, to be read as well.
   */
  "verify-target": { target: string; bootFolder?: string; indexSha256: string; isMountedAnew?: boolean };
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
  /** Extents of the volume `stash`, which no other may lie on; empty when the stash is in memory only. */
  reserved: ExtentRange[];
  volumes: PlannedVolume[];
  bootFilesystemUuid: string;
  steps: Step[];
}
