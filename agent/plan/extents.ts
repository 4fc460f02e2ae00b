import { MiB } from "../../format/sizes.ts";
import type { ByteRange, ExtentRange } from "./step.ts";

/** Where LVM puts extent 0 behind the start of its partition: `pvcreate --dataalignment 1m`, LVM's own default. */
export const dataOffsetBytes = MiB;

/** The physical volume as a ruler: extent `n` begins at `dataStartBytes + n * extentBytes` on the disk. */
export interface ExtentMap {
  dataStartBytes: number;
  extentBytes: number;
  totalExtents: number;
}

export interface WantedVolume {
  name: string;
  count: number;
}

export type Placement =
  | { fits: true; volumes: { name: string; extents: ExtentRange[] }[]; free: ExtentRange[] }
  /** `volume` is the first, in the layout's order, that finds no room; `missing` is what all of them together lack. */
  | { fits: false; volume: string; wanted: number; available: number; missing: number };

/** Maps the partition that becomes the physical volume. A last piece smaller than an extent is LVM's loss, and ours. */
export function mapExtents(partition: ByteRange, extentBytes: number): ExtentMap {
  const dataStartBytes = partition.startBytes + dataOffsetBytes;
  const dataBytes = Math.max(0, partition.sizeBytes - dataOffsetBytes);
  return { dataStartBytes, extentBytes, totalExtents: Math.floor(dataBytes / extentBytes) };
}

/** The bytes of the disk that extents cover. */
export function extentsToBytes(map: ExtentMap, range: ExtentRange): ByteRange {
  return {
    startBytes: map.dataStartBytes + range.first * map.extentBytes,
    sizeBytes: range.count * map.extentBytes,
  };
}

/** Every extent that a byte range touches, merged. `outside`: the ranges of which a part lies before or behind the extents. */
export function reserveExtents(
  map: ExtentMap,
  ranges: readonly ByteRange[],
): { reserved: ExtentRange[]; outside: ByteRange[] } {
  const end = map.dataStartBytes + map.totalExtents * map.extentBytes;
  const used = ranges.filter((range) => range.sizeBytes > 0);
  const outside = used.filter(
    (range) => range.startBytes < map.dataStartBytes || range.startBytes + range.sizeBytes > end,
  );
  const reserved = used.flatMap((range) => {
    const first = Math.max(0, Math.floor((range.startBytes - map.dataStartBytes) / map.extentBytes));
    const behind = Math.ceil((range.startBytes + range.sizeBytes - map.dataStartBytes) / map.extentBytes);
    const count = Math.min(map.totalExtents, behind) - first;
    return count > 0 ? [{ first, count }] : [];
  });
  return { reserved: mergeExtents(reserved), outside };
}

/**
 * Places volumes around what is reserved: in the layout's order one behind the other where each still fits in one piece;
 * else biggest first, each into the smallest gap that holds it whole; what fits nowhere whole is split over the biggest gaps.
 * All fit if there are enough free extents. The same input gives the same places.
 */
export function placeVolumes(
  totalExtents: number,
  reserved: readonly ExtentRange[],
  wanted: readonly WantedVolume[],
): Placement {
  const gaps = freeExtents(totalExtents, reserved);
  const available = sum(gaps);
  let needed = 0;
  let firstTooMany: WantedVolume | undefined;
  for (const volume of wanted) {
    needed += volume.count;
    if (needed > available) firstTooMany ??= volume;
  }
  if (firstTooMany) {
    return {
      fits: false,
      volume: firstTooMany.name,
      wanted: firstTooMany.count,
      available,
      missing: needed - available,
    };
  }
  const places = placeInOrder(gaps, wanted) ?? placeBiggestFirst(gaps, wanted);
  const volumes = wanted.map(({ name }) => ({ name, extents: places.get(name) ?? [] }));
  const taken = volumes.flatMap((volume) => volume.extents);
  return { fits: true, volumes, free: freeExtents(totalExtents, [...reserved, ...taken]) };
}

type Places = Map<string, ExtentRange[]>;

function placeInOrder(gaps: readonly ExtentRange[], wanted: readonly WantedVolume[]): Places | undefined {
  const left = gaps.map((gap) => ({ ...gap }));
  const places: Places = new Map();
  for (const volume of wanted) {
    const gap = left.find((candidate) => candidate.count >= volume.count);
    if (!gap) return undefined;
    places.set(volume.name, [take(gap, volume.count)]);
  }
  return places;
}

function placeBiggestFirst(gaps: readonly ExtentRange[], wanted: readonly WantedVolume[]): Places {
  const left = gaps.map((gap) => ({ ...gap }));
  const places: Places = new Map();
  const split: WantedVolume[] = [];
  for (const volume of [...wanted].sort((a, b) => b.count - a.count)) {
    const gap = smallestThatHolds(left, volume.count);
    if (gap) places.set(volume.name, [take(gap, volume.count)]);
    else split.push(volume);
  }
  for (const volume of split) places.set(volume.name, takePieces(left, volume.count));
  return places;
}

function takePieces(left: ExtentRange[], wanted: number): ExtentRange[] {
  const pieces: ExtentRange[] = [];
  let missing = wanted;
  while (missing > 0) {
    const gap =
      smallestThatHolds(left, missing) ??
      left.reduce((most, candidate) => (candidate.count > most.count ? candidate : most));
    const piece = take(gap, Math.min(gap.count, missing));
    pieces.push(piece);
    missing -= piece.count;
  }
  return mergeExtents(pieces);
}

function smallestThatHolds(left: readonly ExtentRange[], count: number): ExtentRange | undefined {
  let best: ExtentRange | undefined;
  for (const gap of left) if (gap.count >= count && (!best || gap.count < best.count)) best = gap;
  return best;
}

/** Cuts `count` extents off the front of the gap. */
function take(gap: ExtentRange, count: number): ExtentRange {
  const piece = { first: gap.first, count };
  gap.first += count;
  gap.count -= count;
  return piece;
}

/** What `used` leaves of `0 .. totalExtents - 1`, in order. */
export function freeExtents(totalExtents: number, used: readonly ExtentRange[]): ExtentRange[] {
  const gaps: ExtentRange[] = [];
  let position = 0;
  for (const { first, count } of mergeExtents(used)) {
    if (first > position) gaps.push({ first: position, count: Math.min(first, totalExtents) - position });
    position = Math.max(position, first + count);
  }
  if (position < totalExtents) gaps.push({ first: position, count: totalExtents - position });
  return gaps.filter((gap) => gap.count > 0);
}

function mergeExtents(ranges: readonly ExtentRange[]): ExtentRange[] {
  const merged: ExtentRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && range.first <= before.first + before.count) {
      before.count = Math.max(before.count, range.first + range.count - before.first);
    } else merged.push({ ...range });
  }
  return merged;
}

function sum(ranges: readonly ExtentRange[]): number {
  return ranges.reduce((total, range) => total + range.count, 0);
}
