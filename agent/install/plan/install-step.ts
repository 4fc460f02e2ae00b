import type { FilesystemType } from "../../../format/layout.ts";
import type { SlotName } from "../../../format/grubenv.ts";
import type { StepArgs } from "../../plan/step.ts";
import type { SystemFile } from "../../slot/system-file.ts";

/** What each step of an upgrade needs; those of a conversion that fit are the same. Nothing else may be looked up while doing it. */
export interface InstallStepArgs extends Pick<
  StepArgs,
  | "make-filesystem"
  | "mount-target"
  | "extract-rootfs"
  | "restore-identity"
  | "write-fstab"
  | "rebuild-initramfs"
  | "verify-target"
> {
  /** One write of grubenv: the running slot first, the other not to be looked at. */
  "mark-slot-bad": { grubenv: string; slot: SlotName; running: SlotName; stateFolder: string };
  /** Unmount what an interrupted upgrade left. The record of what lies there goes: it will lie there no more. */
  "release-slot": { device: string; target: string; slot: SlotName; stateFolder: string };
  /** Identity and preserved files of the slot that runs, as they are now. `elsewhere`: mount points that both slots share. */
  "capture-identity": { root: string; paths: string[]; elsewhere: string[] };
  /** /etc/dualroot, /boot/slot.cfg, and the record. */
  "describe-slot": {
    target: string;
    root: string;
    system: SystemFile;
    commandLine: string;
    volumes: string;
    kernel: string;
    initramfs: string;
  };
  /** Everything to the medium and out of the kernel's cache; mounted read-only, if it is to be read back. */
  "remount-slot": { device: string; type: FilesystemType; target: string };
  /** Each item of identity as the new slot's own files have it, beside what the gateway has. `shared`: mount points of both slots. */
  "compare-identity": { target: string; shared: string[] };
  "unmount-slot": { device: string; target: string };
  /** The package's kernel and ramdisk onto the boot partition, where they differ. */
  "refresh-rescue": { folder: string };
  /** One write of grubenv: the other slot first, bootable, no try counted. The last write. */
  "activate-slot": { grubenv: string; slot: SlotName; running: SlotName; stateFolder: string };
  /** Who put it there, since when. */
  "record-slot": { system: SystemFile; installedBy: "upgrade" | "rauc"; stateFolder: string };
}

export type InstallStepKind = keyof InstallStepArgs;
export type InstallStepOf<K extends InstallStepKind> = { kind: K; title: string } & InstallStepArgs[K];
export type InstallStep = { [K in InstallStepKind]: InstallStepOf<K> }[InstallStepKind];

/** A whole upgrade as a value: printed by `--dry-run`, compared by tests, run by `install`. */
export interface InstallPlan {
  format: 1;
  purpose: "install" | "adopt";
  /** Name and version of the package. */
  release: string;
  /** Name and version of what runs now. */
  from: string;
  /** The version alone, as the history has it. */
  fromVersion: string;
  running: SlotName;
  slot: SlotName;
  device: string;
  steps: InstallStep[];
}
