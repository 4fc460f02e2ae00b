import { formatSize } from "../../format/sizes.ts";
import { fail, warn, type Check, type Finding } from "./check.ts";

/** Stacks whose members cannot be taken away one by one. */
const heldTypes: Record<string, "disk-is-raid" | "disk-is-multipath"> = {
  linux_raid_member: "disk-is-raid",
  isw_raid_member: "disk-is-raid",
  ddf_raid_member: "disk-is-raid",
  mpath_member: "disk-is-multipath",
};

/** Nothing but plain filesystems and LVM may sit on the disk; device-mapper holders are LVM's, or the root stack tells. */
export const disk: Check = {
  name: "disk",
  title: "Disk",
  run: ({ disk, options }) => {
    if (!disk || options.resumed) return undefined;
    const findings: Finding[] = [];
    if (disk.readOnly) {
      findings.push(
        fail({
          code: "disk-read-only",
          message: `The disk ${disk.path} is read-only.`,
          hint: "Lift the write protection.",
        }),
      );
    }
    for (const partition of disk.partitions) {
      const code = heldTypes[partition.filesystemType ?? ""];
      if (!code) continue;
      findings.push(
        fail({
          code,
          message: `${partition.path} (${formatSize(partition.sizeBytes)}) is part of an array (${partition.filesystemType}).`,
          hint: "This gateway cannot be converted in place; install it anew.",
        }),
      );
    }
    const holders = disk.holders.filter((holder) => !holder.startsWith("dm-"));
    if (holders.length > 0 && findings.length === 0) {
      findings.push(
        fail({
          code: "disk-held",
          message: `The disk ${disk.path} is in use by ${holders.join(", ")}.`,
          hint: "Stop what uses it (RAID, cache, replication) and start again.",
        }),
      );
    }
    if (findings.length > 0) return findings;
    if (disk.removable) {
      return [
        warn({
          code: "disk-removable",
          message: `The disk ${disk.path} says it is removable.`,
          hint: "Make sure that it stays in while the conversion runs.",
        }),
      ];
    }
    return `${disk.path}${disk.model ? ` ${disk.model}` : ""}, ${formatSize(disk.sizeBytes)}`;
  },
};
