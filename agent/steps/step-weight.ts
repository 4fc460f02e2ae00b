import type { Step } from "../plan/step.ts";

const megabyte = 1_000_000;

/**
 * Roughly the seconds a step takes on a small gateway, as measured with an archive of 91 MB on one and two processors; only
 * their ratios matter, for the overall percent. `archiveBytes`: rootfs.tar.xz.
 */
export function stepWeight(step: Step, archiveBytes: number): number {
  switch (step.kind) {
    case "wipe-signatures":
      return 0.8 + step.ranges.reduce((sum, range) => sum + range.sizeBytes, 0) / (200 * megabyte);
    case "extract-rootfs":
      return 1 + archiveBytes / (3 * megabyte);
    case "verify-target":
      return 1 + archiveBytes / (7 * megabyte);
    case "place-stash":
      return 1 + step.files.reduce((sum, { range }) => sum + range.sizeBytes, 0) / (60 * megabyte);
    case "arm-resume-loader":
      return 0.6;
    case "capture-old-system":
      return 30;
    case "restore-old-system":
      return 70;
    case "rebuild-initramfs":
      return 30;
    case "save-report":
      return 3;
    case "restore-identity":
    case "install-boot-files":
    case "unmount-target":
      return 2;
    case "write-partition-table":
    case "create-volumes":
      return 1.5;
    case "create-volume-group":
      return 0.7;
    case "release-old-system":
    case "make-filesystem":
    case "mount-target":
    case "write-boot-sector":
      return 0.4;
    case "write-fstab":
      return 0.1;
  }
}
