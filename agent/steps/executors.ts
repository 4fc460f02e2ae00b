import type { Step, StepKind, StepOf } from "../plan/step.ts";
import { armResumeLoader } from "./arm-resume-loader.ts";
import { captureOldSystem } from "./capture-old-system.ts";
import { createVolumeGroup } from "./create-volume-group.ts";
import { createVolumes } from "./create-volumes.ts";
import { extractRootfs } from "./extract-rootfs.ts";
import { installBootFiles } from "./install-boot-files.ts";
import { makeFilesystem } from "./make-filesystem.ts";
import { mountTarget } from "./mount-target.ts";
import { placeStash } from "./place-stash.ts";
import { rebuildInitramfs } from "./rebuild-initramfs.ts";
import { releaseOldSystem } from "./release-old-system.ts";
import { restoreIdentity } from "./restore-identity.ts";
import { restoreOldSystem } from "./restore-old-system.ts";
import { saveReport } from "./save-report.ts";
import type { StepContext } from "./step-context.ts";
import { unmountTarget } from "./unmount-target.ts";
import { verifyTarget } from "./verify-target.ts";
import { wipeSignatures } from "./wipe-signatures.ts";
import { writeBootSector } from "./write-boot-sector.ts";
import { writeFstab } from "./write-fstab.ts";
import { writePartitionTable } from "./write-partition-table.ts";

/** One function per kind of step; the compiler refuses a kind without one. */
const executors: { [K in StepKind]: (step: StepOf<K>, context: StepContext) => Promise<void> } = {
  "capture-old-system": captureOldSystem,
  "release-old-system": releaseOldSystem,
  "place-stash": placeStash,
  "arm-resume-loader": armResumeLoader,
  "wipe-signatures": wipeSignatures,
  "write-partition-table": writePartitionTable,
  "create-volume-group": createVolumeGroup,
  "create-volumes": createVolumes,
  "make-filesystem": makeFilesystem,
  "mount-target": mountTarget,
  "extract-rootfs": extractRootfs,
  "restore-identity": restoreIdentity,
  "write-fstab": writeFstab,
  "rebuild-initramfs": rebuildInitramfs,
  "restore-old-system": restoreOldSystem,
  "install-boot-files": installBootFiles,
  "verify-target": verifyTarget,
  "save-report": saveReport,
  "unmount-target": unmountTarget,
  "write-boot-sector": writeBootSector,
};

export function executeStep(step: Step, context: StepContext): Promise<void> {
  // The table's type ties each kind to its own arguments; the compiler cannot follow that through a union.
  const execute = executors[step.kind] as (step: Step, context: StepContext) => Promise<void>;
  return execute(step, context);
}
