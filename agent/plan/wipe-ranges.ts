import { gptSectorBytes, type PlannedTable } from "../../format/partition-table.ts";
import { MiB } from "../../format/sizes.ts";
import type { DiskFacts } from "../facts/facts.ts";
import { mergeByteRanges, subtractByteRanges } from "./byte-ranges.ts";
import type { ByteRange } from "./step.ts";

/**
 * Signatures lie within this distance of the ends of what they describe: GPT and its backup, LVM labels and metadata (1 MiB),
 * md 0.90 and 1.0 (last 128 KiB), LUKS 2 headers (16 MiB), superblocks of ext and XFS (first 64 KiB).
 */
export const wipeBytes = 16 * MiB;

/** Head and tail of the disk and of every old and new partition, merged; never a byte of what is kept. */
export function wipeRanges(disk: DiskFacts, table: PlannedTable, keep: readonly ByteRange[]): ByteRange[] {
  const whole: ByteRange = { startBytes: 0, sizeBytes: disk.sizeBytes };
  const planned = table.partitions.map(({ firstSector, lastSector }) => ({
    startBytes: firstSector * gptSectorBytes,
    sizeBytes: (lastSector - firstSector + 1) * gptSectorBytes,
  }));
  const ends = [whole, ...disk.partitions, ...planned].flatMap(({ startBytes, sizeBytes }) => {
    const length = Math.min(wipeBytes, sizeBytes);
    return [
      { startBytes, sizeBytes: length },
      { startBytes: startBytes + sizeBytes - length, sizeBytes: length },
    ];
  });
  return subtractByteRanges(mergeByteRanges(ends.map((range) => clip(range, disk.sizeBytes))), keep);
}

/** An old table may name sectors behind the end of the disk. */
function clip({ startBytes, sizeBytes }: ByteRange, diskBytes: number): ByteRange {
  return { startBytes, sizeBytes: Math.max(0, Math.min(sizeBytes, diskBytes - startBytes)) };
}
