import type { ByteRange } from "./step.ts";

const endOf = (range: ByteRange): number => range.startBytes + range.sizeBytes;

/** Ordered, without empty, overlapping or touching ranges. */
export function mergeByteRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = [];
  const inOrder = ranges.filter((range) => range.sizeBytes > 0).sort((a, b) => a.startBytes - b.startBytes);
  for (const range of inOrder) {
    const before = merged.at(-1);
    if (before && range.startBytes <= endOf(before)) {
      before.sizeBytes = Math.max(endOf(before), endOf(range)) - before.startBytes;
    } else merged.push({ ...range });
  }
  return merged;
}

/** What `holes` leave of `ranges`, ordered. */
export function subtractByteRanges(ranges: readonly ByteRange[], holes: readonly ByteRange[]): ByteRange[] {
  let left = mergeByteRanges(ranges);
  for (const hole of holes) {
    left = left.flatMap((range) => {
      if (endOf(hole) <= range.startBytes || hole.startBytes >= endOf(range)) return [range];
      const behind = Math.min(endOf(range), endOf(hole));
      return [
        { startBytes: range.startBytes, sizeBytes: Math.max(0, hole.startBytes - range.startBytes) },
        { startBytes: behind, sizeBytes: endOf(range) - behind },
      ].filter((piece) => piece.sizeBytes > 0);
    });
  }
  return left;
}
