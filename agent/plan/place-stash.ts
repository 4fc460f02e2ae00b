import { KiB } from "../../format/sizes.ts";
import { loaderBytes } from "../../format/stash.ts";
import { extentsToBytes, type ExtentMap } from "./extents.ts";
import type { ByteRange, ExtentRange, StepOf } from "./step.ts";

/** stash.json with its ranges needs about 10 KiB. */
const jsonBytes = 64 * KiB;
const alignment = 4 * KiB;

export interface PlacedStash extends Pick<StepOf<"place-stash">, "files" | "json" | "loader"> {
  /** What the volume `stash` gets: whole extents. */
  extents: ExtentRange[];
}

/**
 * Ram mode: where the stash can be written on the disk once the new volumes have their places. One gap must hold all of it,
 * so that every file is one range; undefined when none does.
 */
export function placeStash(
  map: ExtentMap,
  free: readonly ExtentRange[],
  files: readonly { name: string; sizeBytes: number }[],
): PlacedStash | undefined {
  const wanted = [loaderBytes, jsonBytes, ...files.map(({ sizeBytes }) => roundUp(sizeBytes))];
  const total = wanted.reduce((sum, bytes) => sum + bytes, 0);
  const count = Math.ceil(total / map.extentBytes);
  const gap = free.find((candidate) => candidate.count >= count);
  if (!gap) return undefined;
  const extents = { first: gap.first, count };
  let { startBytes } = extentsToBytes(map, extents);
  const take = (sizeBytes: number): ByteRange => {
    const range = { startBytes, sizeBytes };
    startBytes += sizeBytes;
    return range;
  };
  const loader = take(loaderBytes);
  const json = take(jsonBytes);
  return {
    loader,
    json,
    files: files.map(({ name, sizeBytes }) => ({ name, range: take(roundUp(sizeBytes)) })),
    extents: [extents],
  };
}

/** An empty file has a range, too. */
function roundUp(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / alignment)) * alignment;
}
