import type { FstabLine } from "../../../agent/old-system/parse-fstab.ts";
import type { Problem } from "../../../format/errors.ts";
import { formatSize } from "../../../format/sizes.ts";
import { readableTypes, type FoundFilesystem } from "./found-filesystem.ts";

/** Why a line of the root's fstab cannot be followed. `isTaken`: something else is mounted at its target. */
export function problemWith(
  { source, options }: FstabLine,
  target: string,
  matches: readonly FoundFilesystem[],
  isTaken: boolean,
): Problem | undefined {
  const [one, other] = matches;
  const where = `/etc/fstab: ${source} ${target}`;
  if (target.split("/").includes("..") || isTaken)
    return {
      code: "disk-fstab-ambiguous",
      message: `fstab mounts ${source} at ${target}, ${isTaken ? "where something else is mounted too" : "which is no clean path"}`,
      hint: "Mend /etc/fstab in the machine, and export it again.",
      where,
    };
  if (one && other)
    return {
      code: "disk-fstab-ambiguous",
      message: `fstab's ${source} for ${target} may mean ${matches.map(describe).join(" or ")}`,
      hint: "Give the filesystems UUIDs or labels of their own, and export the machine again.",
      where,
    };
  if (!one)
    return options.includes("nofail")
      ? undefined
      : {
          code: "disk-filesystem-missing",
          message: `the root's fstab mounts ${source} at ${target}, which is not in the image`,
          hint: "Give all disks of the machine, or mark the line nofail or noauto if it does not belong to the system.",
          where,
        };
  if (one.type === "crypto_LUKS")
    return {
      code: "disk-encrypted",
      message: `${describe(one)}, which the root mounts at ${target}, is encrypted`,
      hint: "Export the machine without encryption, or give the root filesystem as a tar.",
      where,
    };
  if (isRaid(one))
    return {
      code: "disk-raid",
      message: `${describe(one)}, which the root mounts at ${target}, belongs to a RAID array`,
      hint: "Give the root filesystem as a tar; a gateway's own disk is no RAID array.",
      where,
    };
  if (isUnknown(one))
    return {
      code: "disk-filesystem-unknown",
      message: `${describe(one)}, which the root mounts at ${target}, is of a kind that cannot be read`,
      hint: "Filesystems that can be read are ext2 to ext4, XFS, btrfs and vfat. Give the root filesystem as a tar.",
      where,
    };
  if (one.error !== undefined)
    return {
      code: "disk-filesystem-damaged",
      message: `${describe(one)}, which the root mounts at ${target}, cannot be read: ${one.error}`,
      hint: "Shut the machine down cleanly, check the filesystem (fsck, xfs_repair), and export it again.",
      where,
    };
  return undefined;
}

/** What nobody can look into and the root does not speak of may be the very system that is wanted. */
export function hiddenSystem(one: FoundFilesystem): Problem[] {
  const who = `${describe(one)}, of which the fstab of the root that was found says nothing,`;
  const hint =
    "Take it out of the image if it does not belong to the system, or give the root filesystem as a tar.";
  if (one.type === "crypto_LUKS")
    return [
      {
        code: "disk-encrypted",
        message: `${who} is encrypted, and may hold another system`,
        hint: `Export the machine without encryption. ${hint}`,
      },
    ];
  if (readableTypes.has(one.type) && one.error !== undefined)
    return [
      {
        code: "disk-filesystem-damaged",
        message: `${who} cannot be read, and may hold another system: ${one.error}`,
        hint: `Check the filesystem in the machine (fsck, xfs_repair), and export it again. ${hint}`,
      },
    ];
  return [];
}

/** `/dev/sda1 (ext4, 4 GiB, "root")` */
export function describe({ device, type, sizeBytes, label }: FoundFilesystem): string {
  return `${device} (${type || "unknown"}, ${formatSize(sizeBytes)}${label ? `, ${JSON.stringify(label)}` : ""})`;
}

export function isRaid({ type }: FoundFilesystem): boolean {
  return type.endsWith("_raid_member");
}

/** Known to blkid, but to nobody who could mount it. */
export function isUnknown({ type }: FoundFilesystem): boolean {
  return (
    !readableTypes.has(type) && !["", "swap", "LVM2_member", "crypto_LUKS", "iso9660", "udf"].includes(type)
  );
}
