import type { StepOf } from "../plan/step.ts";
import type { StepContext } from "../steps/step-context.ts";
import { TargetWriter } from "../identity/restore/target-writer.ts";
import { adaptFstab } from "./adapt-fstab.ts";
import { chooseSlotBoot } from "./choose-slot-boot.ts";
import { installSlotTools } from "./install-slot-tools.ts";
import { otherDiskSources } from "./other-disk-sources.ts";
import { writeSlotConfiguration } from "./write-slot-configuration.ts";

export type SlotRoot = StepOf<"restore-old-system"> & {
  /** Where slot B is mounted. */
  root: string;
};

/** Makes the unpacked old system boot from its new place; everything else stays as it was. Returns notes for the report. */
export async function adaptOldSystem(slot: SlotRoot, context: StepContext): Promise<string[]> {
  const writer = new TargetWriter(slot.root);
  const shared = [];
  for (const mount of slot.shared) if (await isFree(writer, mount.mountPoint)) shared.push(mount);
  const fstab = adaptFstab((await writer.readText("/etc/fstab")) ?? "", {
    slotDevice: slot.device,
    slotType: slot.type,
    merged: slot.merged,
    elsewhere: await otherDiskSources(context.run, slot.disk),
    added: shared,
  });
  await writer.write("/etc/fstab", fstab);
  for (const { mountPoint } of shared) await writer.makeFolder(mountPoint);
  // Names the old physical volume only: LVM would not look at the new one. Without it, it looks everywhere.
  await writer.remove("/etc/lvm/devices/system.devices");
  await installSlotTools(slot, writer, context);
  const boot = await chooseSlotBoot(slot, writer, context);
  await writeSlotConfiguration(boot, writer, context);
  return [...boot.notes, ...writer.notes];
}

/** Nothing of the old system would be hidden by a mount there. */
async function isFree(writer: TargetWriter, mountPoint: string): Promise<boolean> {
  const path = await writer.resolve(mountPoint);
  if (path !== mountPoint) return false;
  return (await writer.lstat(path)) === undefined || (await writer.list(path)).length === 0;
}
