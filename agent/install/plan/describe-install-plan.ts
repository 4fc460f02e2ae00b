import { formatSize } from "../../../format/sizes.ts";
import type { InstallPlan, InstallStep } from "./install-step.ts";

/** The plan for people, printed by `--dry-run`. */
export function describeInstallPlan(plan: InstallPlan): string[] {
  const { slot, running, from, release, device, steps } = plan;
  return [
    `Slot ${slot} (${device}) becomes ${release}. Slot ${running} goes on running ${from}, unchanged, and stays the fallback.`,
    "",
    "Steps:",
    ...steps.map((step, index) => {
      const detail = describeStep(step);
      return `${String(index + 1).padStart(3)}. ${step.title}${detail ? `: ${detail}` : ""}`;
    }),
  ];
}

/** What a step's title leaves open. */
function describeStep(step: InstallStep): string {
  switch (step.kind) {
    case "mark-slot-bad":
      return `ORDER="${step.running} ${step.slot}" ${step.slot}_OK=0, in place; from here on a cut boots slot ${step.running}`;
    case "make-filesystem":
      return `${step.type} on ${step.device}`;
    case "mount-target":
      return step.mounts.map(({ path }) => path).join(", ");
    case "extract-rootfs":
      return `${formatSize(step.archiveBytes)}, ${formatSize(step.unpackedBytes)} unpacked`;
    case "capture-identity":
      return step.paths.length > 0 ? `with ${step.paths.join(", ")}` : "";
    case "restore-identity":
      return `addresses for ${step.network}`;
    case "rebuild-initramfs":
      return `${step.tool}, kernel ${step.kernelVersion}`;
    case "describe-slot":
      return `${step.kernel}${step.commandLine === "" ? "" : `, with ${step.commandLine}`}`;
    case "refresh-rescue":
      return `${step.folder}, if it differs`;
    case "activate-slot":
      return `ORDER="${step.slot} ${step.running}" ${step.slot}_OK=1 ${step.slot}_TRY=0, the last write`;
    case "release-slot":
    case "write-fstab":
    case "remount-slot":
    case "verify-target":
    case "compare-identity":
    case "unmount-slot":
    case "record-slot":
      return "";
  }
}
