import { extractRootfs } from "../../steps/extract-rootfs.ts";
import { makeFilesystem } from "../../steps/make-filesystem.ts";
import { mountTarget } from "../../steps/mount-target.ts";
import { rebuildInitramfs } from "../../steps/rebuild-initramfs.ts";
import { verifyTarget } from "../../steps/verify-target.ts";
import { writeFstab } from "../../steps/write-fstab.ts";
import type { InstallStep, InstallStepKind, InstallStepOf } from "../plan/install-step.ts";
import { activateSlot } from "./activate-slot.ts";
import { captureIdentity } from "./capture-identity.ts";
import { compareIdentity } from "./compare-identity.ts";
import { describeSlot } from "./describe-slot.ts";
import type { InstallContext } from "./install-context.ts";
import { markSlotBad } from "./mark-slot-bad.ts";
import { recordSlot } from "./record-slot.ts";
import { refreshRescue } from "./refresh-rescue.ts";
import { restoreIdentity } from "./restore-identity.ts";
import { releaseSlot, remountSlot, unmountSlot } from "./slot-mounts.ts";

/** One function per kind of step; the compiler refuses a kind without one. */
const executors: {
  [K in InstallStepKind]: (step: InstallStepOf<K>, context: InstallContext) => Promise<void>;
} = {
  "mark-slot-bad": markSlotBad,
  "release-slot": releaseSlot,
  "make-filesystem": makeFilesystem,
  "mount-target": mountTarget,
  "extract-rootfs": extractRootfs,
  "capture-identity": captureIdentity,
  "restore-identity": restoreIdentity,
  "write-fstab": writeFstab,
  "rebuild-initramfs": rebuildInitramfs,
  "describe-slot": describeSlot,
  "remount-slot": remountSlot,
  "verify-target": verifyTarget,
  "compare-identity": compareIdentity,
  "unmount-slot": unmountSlot,
  "record-slot": recordSlot,
  "refresh-rescue": refreshRescue,
  "activate-slot": activateSlot,
};

export function executeInstallStep(step: InstallStep, context: InstallContext): Promise<void> {
  // The table's type ties each kind to its own arguments; the compiler cannot follow that through a union.
  const execute = executors[step.kind] as (step: InstallStep, context: InstallContext) => Promise<void>;
  return execute(step, context);
}
