import type { Manifest } from "../../format/manifest.ts";
import type { Stash } from "../../format/stash.ts";
import type { ConversionPlan, StepOf } from "../plan/step.ts";
import { capacityOf } from "./plan-old-system.ts";

export interface OldSystemInput {
  manifest: Manifest;
  stash: Partial<Pick<Stash, "oldSystem" | "space">>;
  /** To be captured now, captured already, or not kept. */
  state: "capture" | "captured" | "none";
  plan: Omit<ConversionPlan, "steps">;
  /** Old volume groups on the disk. */
  volumeGroups: string[];
  /** Where the ramdisk mounts the new system. */
  target: string;
  bootMountPoint: string;
}

/** Both slots write their history there. */
const sharedMountPoint = "/data";

/** The steps that keep the old system as slot B; none where it is not kept. */
export function oldSystemSteps({
  manifest,
  stash,
  state,
  plan,
  volumeGroups,
  target,
  bootMountPoint,
}: OldSystemInput): { capture?: StepOf<"capture-old-system">; restore?: StepOf<"restore-old-system"> } {
  const { oldSystem } = stash;
  const slot = plan.volumes.find((volume) => volume.slot === "B");
  const volume = manifest.layout.volumes.find(({ name }) => name === slot?.name);
  if (state === "none" || !oldSystem || !slot || !volume) return {};
  const ranges = stash.space?.oldSystem;
  const restore: StepOf<"restore-old-system"> = {
    kind: "restore-old-system",
    title: "Put the old system into slot B",
    disk: plan.disk,
    device: slot.device,
    type: slot.filesystem,
    volumeGroup: plan.volumeGroup,
    target,
    osName: oldSystem.osName,
    kernelRelease: oldSystem.kernelRelease,
    commandLine: oldSystem.commandLine,
    merged: oldSystem.filesystems.map(({ mountPoint }) => mountPoint).filter((path) => path !== "/"),
    shared: [
      { source: `UUID=${plan.bootFilesystemUuid}`, mountPoint: bootMountPoint, type: "ext4" },
      ...plan.volumes
        .filter(({ mountPoint }) => mountPoint === sharedMountPoint)
        .map(({ device, mountPoint, filesystem }) => ({ source: device, mountPoint, type: filesystem })),
    ],
  };
  if (state === "captured") return { restore };
  return {
    capture: {
      kind: "capture-old-system",
      title: "Keep the old system",
      disk: plan.disk,
      wanted: oldSystem.wanted,
      filesystems: oldSystem.filesystems,
      volumeGroups,
      ...(ranges ? { ranges } : {}),
      capacityBytes: capacityOf(volume),
    },
    restore,
  };
}
