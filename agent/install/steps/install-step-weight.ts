import type { InstallStep } from "../plan/install-step.ts";

const megabyte = 1_000_000;

/** Roughly the seconds a step takes on a small gateway; only their ratios matter. `archiveBytes`: rootfs.tar.xz. */
export function installStepWeight(step: InstallStep, archiveBytes: number): number {
  switch (step.kind) {
    case "extract-rootfs":
      return 1 + archiveBytes / (3 * megabyte);
    case "verify-target":
      return 1 + archiveBytes / (7 * megabyte);
    case "rebuild-initramfs":
      return 30;
    case "remount-slot":
      return 1 + archiveBytes / (30 * megabyte);
    case "refresh-rescue":
      return 4;
    case "capture-identity":
    case "restore-identity":
    case "compare-identity":
      return 1;
    case "mark-slot-bad":
    case "release-slot":
    case "make-filesystem":
    case "mount-target":
    case "write-fstab":
    case "describe-slot":
    case "unmount-slot":
    case "record-slot":
    case "activate-slot":
      return 0.3;
  }
}
