import type { KeepOldSystem, Manifest } from "../../format/manifest.ts";
import type { Volume } from "../../format/layout.ts";
import { gptSectorBytes } from "../../format/partition-table.ts";
import { formatSize, MiB } from "../../format/sizes.ts";
import { packageBytes } from "../checks/package-bytes.ts";
import type { Facts } from "../facts/facts.ts";
import { checkDiskSize } from "../plan/check-disk-size.ts";
import { mapExtents } from "../plan/extents.ts";
import { planPartitions } from "../plan/partitions.ts";
import { capturedMounts } from "./captured-mounts.ts";

/**
 * Part of its size that an archive may take. Measured with `zstd -1`: 0.37 for a system of 430 MB; what does not shrink at all (media,
 * archives) may be a third of a system before it no longer fits. Then `auto` goes without, and `require` refuses, before anything is changed.
 */
export const compressedShare = 0.6;
/** tar's own headers, and the smallest of systems. */
const archiveBaseBytes = 16 * MiB;
/** Of a volume: inode tables, journal and the rest of what a filesystem takes for itself. */
const filesystemShare = 0.08;
/** What the old system needs to go on working: logs, its rebuilt initramfs. */
const workingShare = 0.1;
const workingBytesAtMost = 256 * MiB;

export interface OldSystemVerdict {
  wanted: KeepOldSystem;
  /** Bytes in use on the filesystems that would be captured. */
  usedBytes: number;
  /** Bytes to preallocate in the stash for the archive; absent when it cannot lie there, or the disk holds not even the volumes. */
  roomBytes?: number;
  /** Why it is not kept, or (with `canTryMemory`) where it cannot lie; absent when all is well. */
  reason?: string;
  /** The archive has no room beside the new volumes, but may find some in the ramdisk's memory. */
  canTryMemory?: boolean;
}

/** Room that stage 1 preallocates in the stash for the archive of the old system; undefined: none. */
export function roomForOldSystem(input: {
  manifest: Manifest;
  facts: Facts;
}): { wanted: "auto" | "require"; bytes: number } | undefined {
  const { wanted, roomBytes } = judgeOldSystem(input);
  return wanted === "never" || roomBytes === undefined ? undefined : { wanted, bytes: roomBytes };
}

/** Can the old system live on as slot B, as far as can be told without reading all of it? */
export function judgeOldSystem({ manifest, facts }: { manifest: Manifest; facts: Facts }): OldSystemVerdict {
  const wanted = manifest.keepOldSystem;
  const mounts = capturedMounts(facts);
  const usedBytes = mounts.reduce((sum, mount) => sum + (mount.usedBytes ?? 0), 0);
  const no = (reason: string): OldSystemVerdict => ({ wanted, usedBytes, reason });
  if (wanted === "never") return no("the release says that it cannot run beside it");
  const slot = manifest.layout.volumes.find((volume) => volume.slot === "B");
  if (!slot) return no("the layout has no slot B");
  if (mounts.length === 0) return no("its root filesystem is of a kind that cannot be copied");
  const capacity = capacityOf(slot);
  if (usedBytes > capacity) {
    const largest = mounts.toSorted((one, other) => (other.usedBytes ?? 0) - (one.usedBytes ?? 0))[0];
    const which = mounts.length > 1 && largest ? `, most of it in ${largest.target}` : "";
    return no(
      `it takes ${formatSize(usedBytes)}${which}, and ${slot.name} (${formatSize(slot.sizeBytes)}) has room for ${formatSize(capacity)}`,
    );
  }
  const roomBytes = Math.ceil((usedBytes * compressedShare + archiveBaseBytes) / MiB) * MiB;
  const besideBytes = bytesBesideVolumes(manifest, facts);
  // Then nothing is converted at all, and another check says why.
  if (besideBytes === undefined) return { wanted, usedBytes };
  const neededBytes = roomBytes + packageBytes(manifest);
  if (neededBytes > besideBytes) {
    return {
      wanted,
      usedBytes,
      canTryMemory: true,
      reason: `its archive needs up to ${formatSize(neededBytes)} with the package, and the new volumes leave ${formatSize(besideBytes)} of the disk`,
    };
  }
  return { wanted, usedBytes, roomBytes };
}

/** Bytes of files that a slot holds, with room to go on working. */
export function capacityOf(slot: Pick<Volume, "sizeBytes">): number {
  const working = Math.min(workingBytesAtMost, slot.sizeBytes * workingShare);
  return Math.floor(slot.sizeBytes * (1 - filesystemShare) - working);
}

/** Whole extents that no volume of the new layout takes; undefined when not even the volumes fit. */
function bytesBesideVolumes(manifest: Manifest, facts: Facts): number | undefined {
  const { layout } = manifest;
  const disk = facts.disks.find(({ name }) => name === facts.root?.disks[0]);
  if (!disk || checkDiskSize(manifest, disk).length > 0) return undefined;
  const table = planPartitions(layout, Math.floor(disk.sizeBytes / gptSectorBytes), "");
  const { firstSector, lastSector } = table.partitions[2]!;
  const partition = {
    startBytes: firstSector * gptSectorBytes,
    sizeBytes: (lastSector - firstSector + 1) * gptSectorBytes,
  };
  const { totalExtents, extentBytes } = mapExtents(partition, layout.extentBytes);
  const taken = layout.volumes.reduce((sum, { sizeBytes }) => sum + Math.ceil(sizeBytes / extentBytes), 0);
  return taken > totalExtents ? undefined : (totalExtents - taken) * extentBytes;
}
