import { createHash } from "node:crypto";
import { StepError } from "../../../format/errors.ts";
import { stashSectorBytes, type StashFile } from "../../../format/stash.ts";
import { mapPieces, type Piece } from "../../plan/map-to-disk.ts";
import type { ByteRange } from "../../plan/step.ts";
import { hashStored } from "../../stash/stored-file.ts";
import { writeRanges } from "../../stash/write-ranges.ts";
import { refuseChanged, type StashSource } from "./stash-sources.ts";

/** What lies on the disk now: whole sectors, zeros behind the file's own end. */
export interface PlacedFile {
  file: StashFile & { ranges: ByteRange[] };
  sectorsBytes: number;
  /** SHA-256 of the whole sectors. */
  sectorsSha256: string;
}

/** Where pieces of the stash's file lie on the disk. */
export function rangesOnDisk(pieces: readonly Piece[]): ByteRange[] {
  return pieces.map(({ startBytes, sizeBytes }) => ({ startBytes, sizeBytes }));
}

/** Writes a source to its place in the stash's file, through the filesystem, and flushes it. */
export async function writePlaced(
  contentPath: string,
  source: StashSource,
  pieces: readonly Piece[],
  onBytes: (bytes: number) => void,
): Promise<PlacedFile> {
  const hash = createHash("sha256");
  const inFile = pieces.map(({ offsetBytes, sizeBytes }) => ({ startBytes: offsetBytes, sizeBytes }));
  const { sizeBytes, sha256 } = await writeRanges(contentPath, inFile, wholeSectors(source, hash, onBytes));
  const found = hash.digest("hex");
  refuseChanged(source, found);
  const file = {
    name: source.name,
    sizeBytes: source.sizeBytes,
    sha256: found,
    ranges: rangesOnDisk(pieces),
  };
  return { file, sectorsBytes: sizeBytes, sectorsSha256: sha256 };
}

/** Reads it from the disk itself, past the filesystem. */
export async function readBackPlaced(
  disk: string,
  { file, sectorsBytes, sectorsSha256 }: PlacedFile,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let before = 0;
  const found = await hashStored(
    { name: file.name, path: disk, ranges: file.ranges, sizeBytes: sectorsBytes, sha256: sectorsSha256 },
    (done) => {
      onBytes(done - before);
      before = done;
    },
  );
  if (found === sectorsSha256) return;
  throw new StepError(`${disk} does not hold ${file.name} where the filesystem says that it lies.`, {
    hint: "The disk may be failing. Try again; --stash ram does without places on the disk.",
  });
}

/** The filesystem must not have moved anything since the places were chosen. `now` are the stash's file's pieces. */
export function refuseMoved(now: readonly Piece[], chosen: Iterable<readonly Piece[]>): void {
  for (const pieces of chosen) {
    for (const { offsetBytes, startBytes, sizeBytes } of pieces) {
      const found = mapPieces([{ offsetBytes, startBytes: offsetBytes, sizeBytes }], now);
      if (found?.length === 1 && found[0]!.startBytes === startBytes) continue;
      throw new StepError("The old filesystem has moved the stash while it was written.", {
        hint: "Try again; --stash ram does without places on the disk.",
      });
    }
  }
}

async function* wholeSectors(
  { sizeBytes, read }: StashSource,
  hash: ReturnType<typeof createHash>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of read()) {
    hash.update(chunk);
    yield chunk;
    onBytes(chunk.length);
  }
  const sectors = Math.max(1, Math.ceil(sizeBytes / stashSectorBytes)) * stashSectorBytes;
  if (sectors > sizeBytes) yield new Uint8Array(sectors - sizeBytes);
}
