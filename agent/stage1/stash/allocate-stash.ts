import type { Problem } from "../../../format/errors.ts";
import { MiB } from "../../../format/sizes.ts";
import { stashMarginBytes } from "../../checks/stash-mode.ts";
import { clipPieces, type Piece } from "../../plan/map-to-disk.ts";
import { chooseStashPlaces, type StashItem, type StashPlaces } from "../../plan/choose-stash-places.ts";
import type { ByteRange } from "../../plan/step.ts";

/** The one file that holds the whole stash, while it grows. */
export interface GrowingFile {
  /** Appends that many preallocated bytes; all pieces of the file so far, on the disk. Undefined when the filesystem refuses. */
  grow: (bytes: number) => Promise<Piece[] | undefined>;
  /** Bytes that ordinary users could still take. */
  freeBytes: () => Promise<number>;
}

export interface AllocationRequest {
  items: readonly StashItem[];
  /** Left out when there is no room for them. */
  optional: readonly StashItem[];
  /** The part of the disk in which it may lie. */
  region: ByteRange;
  /** What stands against these ranges; none when the new layout fits around them. */
  judge: (ranges: readonly ByteRange[]) => readonly Problem[];
  file: GrowingFile;
  signal: AbortSignal;
}

export type Allocation =
  | {
      places: StashPlaces;
      withOptional: boolean;
      attempts: number;
      /** Allocated in places that will not do. */
      elsewhereBytes: number;
    }
  | { places?: undefined; reason: string };

const mostAttempts = 24;
const leastBytes = 4 * MiB;

/**
 * Grows the file until all items have places that will do, first those that need one range, while the filesystem still has
 * large pieces. What lies elsewhere stays allocated meanwhile, so that the filesystem has to choose other places for the
 * rest; the caller gives it back. The filesystem always keeps some free space.
 */
export async function allocateStash(request: AllocationRequest): Promise<Allocation> {
  const { file, region, items, optional, signal } = request;
  let wanted = [...items, ...optional];
  let given: readonly Piece[] = [];
  let good: Piece[] = [];
  let attempts = 0;
  let inVain = 0;
  let last: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const choice = chooseStashPlaces(wanted, good);
    if (choice.places || attempts === mostAttempts) break;
    const first = choice.missing[0]!;
    const room = (await file.freeBytes()) - stashMarginBytes;
    if (choice.missingBytes > room) {
      if (wanted.length === items.length) break;
      wanted = [...items];
      continue;
    }
    inVain = first.name === last ? inVain + 1 : 0;
    last = first.name;
    const least = first.maxRanges === 1 ? first.sizeBytes : choice.missingBytes;
    const pieces = await file.grow(Math.min(sizeToAsk(least, inVain), room));
    if (!pieces && attempts === 0) return { reason: "the old filesystem does not preallocate files" };
    if (!pieces) break;
    given = pieces;
    good = clipPieces(given, region);
    attempts += 1;
  }
  const found = decide(request, good);
  return found.places ? { ...found, attempts, elsewhereBytes: sizeOf(given) - sizeOf(good) } : found;
}

/** Twice the same, because filesystems look for one piece of just that size; then more each time, to pass over a gigabyte soon. */
function sizeToAsk(bytes: number, inVain: number): number {
  return inVain < 2 ? bytes : Math.max(bytes, leastBytes) * 2 ** (inVain - 1);
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** With what is optional if that is possible, else without. */
function decide(
  { items, optional, judge }: AllocationRequest,
  good: Piece[],
): { places: StashPlaces; withOptional: boolean } | { places?: undefined; reason: string } {
  let reason = "the old filesystem has too little free space where the new layout has room for it";
  for (const withOptional of optional.length > 0 ? [true, false] : [true]) {
    const { places } = chooseStashPlaces(withOptional ? [...items, ...optional] : items, good);
    if (!places) continue;
    const problems = judge([...places.values()].flat());
    if (problems.length === 0) return { places, withOptional };
    reason = problems.map(({ message }) => message).join(" ");
  }
  return { reason };
}
