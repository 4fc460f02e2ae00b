import type { Step } from "../plan/step.ts";

const megabyte = 1_000_000;

/** Roughly the seconds a step takes on a small gateway; only their ratios matter, for the overall percent. */
export function stepWeight(step: Step): number {
  switch (step.kind) {
    case "wipe-signatures":
      return 1 + step.ranges.reduce((sum, range) => sum + range.sizeBytes, 0) / (200 * megabyte);
    case "extract-rootfs":
      return 1 + step.archiveBytes / (3 * megabyte);
    case "verify-target":
      // Its files are those extract-rootfs has written; twenty seconds is a root filesystem of half a gigabyte.
      return 20;
    case "rebuild-initramfs":
      return 30;
    case "install-boot-files":
      return 5;
    case "restore-identity":
    case "save-report":
    case "unmount-target":
    case "create-volumes":
      return 2;
    case "release-old-system":
    case "write-partition-table":
    case "create-volume-group":
    case "make-filesystem":
    case "mount-target":
    case "write-fstab":
    case "write-boot-sector":
      return 1;
  }
}
