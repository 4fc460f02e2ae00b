import type { Piece } from "./map-to-disk.ts";

/** Something that needs a place in the stash. */
export interface StashItem {
  name: string;
  sizeBytes: number;
  /** GRUB reads the kernel from one range only, and the ramdisk from as many as its command line holds. */
  maxRanges: number;
}

/** Each item's own pieces, in its order; together its size rounded up to whole sectors. */
export type StashPlaces = ReadonlyMap<string, Piece[]>;

/** `missing`: without a place, those that need one range first. `missingBytes`: what more space, at least, could give all one. */
export type PlaceChoice =
  | { places: StashPlaces }
  | { places?: undefined; missing: StashItem[]; missingBytes: number };

/** Of a filesystem and of a modern disk: two items never share one, so that writing one cannot tear the other. */
const blockBytes = 4096;
const sectorBytes = 512;

/**
 * Gives every item places out of `pieces` (of the one file that holds the stash: offset there, start on the disk). What needs
 * one range comes first and takes the smallest piece that holds it; the others take the largest pieces. Offsets of the
 * result are the file's: that is where the item is written.
 */
export function chooseStashPlaces(items: readonly StashItem[], pieces: readonly Piece[]): PlaceChoice {
  const left = pieces.flatMap(wholeBlocks);
  const places = new Map<string, Piece[]>();
  const missing: StashItem[] = [];
  const inOrder = [...items].sort(
    (one, other) => one.maxRanges - other.maxRanges || other.sizeBytes - one.sizeBytes,
  );
  for (const item of inOrder) {
    const taken = takePieces(left, item);
    if (taken) places.set(item.name, trim(taken, item.sizeBytes));
    else missing.push(item);
  }
  return missing.length > 0 ? { missing, missingBytes: shortfall(missing, left) } : { places };
}

/** What has to lie in one range needs all its bytes anew; the others only what is not left over in pieces. */
function shortfall(missing: readonly StashItem[], left: readonly Piece[]): number {
  const blocksOf = (items: readonly StashItem[]): number =>
    items.reduce((sum, { sizeBytes }) => sum + roundUp(sizeBytes), 0);
  const whole = blocksOf(missing.filter(({ maxRanges }) => maxRanges === 1));
  const spread = blocksOf(missing.filter(({ maxRanges }) => maxRanges > 1));
  const over = left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  // Enough is left, but in too many pieces.
  return whole + Math.max(0, spread - over) || spread;
}

function roundUp(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / blockBytes)) * blockBytes;
}

function takePieces(left: Piece[], { sizeBytes, maxRanges }: StashItem): Piece[] | undefined {
  let wanted = roundUp(sizeBytes);
  const whole = left
    .filter((piece) => piece.sizeBytes >= wanted)
    .reduce<Piece | undefined>(
      (best, piece) => (best && best.sizeBytes <= piece.sizeBytes ? best : piece),
      undefined,
    );
  if (whole) return [cut(whole, wanted)];
  const largest = [...left].sort((one, other) => other.sizeBytes - one.sizeBytes).slice(0, maxRanges);
  if (largest.reduce((sum, piece) => sum + piece.sizeBytes, 0) < wanted) return undefined;
  const taken: Piece[] = [];
  for (const piece of largest) {
    if (wanted === 0) break;
    const part = cut(piece, Math.min(wanted, piece.sizeBytes));
    taken.push(part);
    wanted -= part.sizeBytes;
  }
  return taken;
}

/** Takes bytes off the front of a piece. */
function cut(piece: Piece, sizeBytes: number): Piece {
  const part = { ...piece, sizeBytes };
  piece.offsetBytes += sizeBytes;
  piece.startBytes += sizeBytes;
  piece.sizeBytes -= sizeBytes;
  return part;
}

/** Without the incomplete blocks at either end, counted in the file. */
function wholeBlocks({ offsetBytes, startBytes, sizeBytes }: Piece): Piece[] {
  const first = Math.ceil(offsetBytes / blockBytes) * blockBytes;
  const behind = Math.floor((offsetBytes + sizeBytes) / blockBytes) * blockBytes;
  if (behind <= first) return [];
  return [{ offsetBytes: first, startBytes: startBytes + first - offsetBytes, sizeBytes: behind - first }];
}

/** Blocks were taken; the last one is given to its last sector. */
function trim(pieces: readonly Piece[], sizeBytes: number): Piece[] {
  let left = Math.max(1, Math.ceil(sizeBytes / sectorBytes)) * sectorBytes;
  return pieces.flatMap((piece) => {
    const size = Math.min(left, piece.sizeBytes);
    left -= size;
    return size > 0 ? [{ ...piece, sizeBytes: size }] : [];
  });
}
