import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InternalError, type Problem } from "../../../format/errors.ts";
import { loaderBytes, stashSectorBytes, type Stash } from "../../../format/stash.ts";
import type { StashPlaces } from "../../plan/choose-stash-places.ts";
import type { Piece } from "../../plan/map-to-disk.ts";
import type { ByteRange } from "../../plan/step.ts";
import { syncPath } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";
import { allocateStash } from "./allocate-stash.ts";
import { contentName, createContentFile, punchUnused, readFilePieces } from "./content-file.ts";
import { rangesOnDisk, readBackPlaced, refuseMoved, writePlaced, type PlacedFile } from "./placed-file.ts";
import type { StashSafeguard } from "./safeguards.ts";
import type { StashInput, WrittenStash } from "./stash-input.ts";
import { requiredItems, spaceNames, stashItem } from "./stash-items.ts";
import { ownSources, packageSources, type StashSource } from "./stash-sources.ts";
import { renderStash } from "./stash-text.ts";

export interface DiskStashInput extends StashInput {
  run: Run;
  /** The disk to convert, `/dev/vda`. */
  disk: string;
  /** Where the device of the stash's filesystem lies on that disk. */
  devicePieces: readonly Piece[];
  /** The part of the disk in which the new layout has room for a stash. */
  region: ByteRange;
  judge: (ranges: readonly ByteRange[]) => readonly Problem[];
  /** Room for the archive of the old system; `require` does not go without. */
  oldSystem?: { wanted: "auto" | "require"; bytes: number };
  without: ReadonlySet<StashSafeguard>;
}

/** For the log: how the places were found. */
interface Search {
  attempts: number;
  elsewhereBytes: number;
}

export type DiskStash =
  | (WrittenStash & Search & { keepsOldSystem: boolean })
  | { stashSha256?: undefined; reason: string };

/**
 * Puts all that stage 2 needs into one preallocated file of the old filesystem, notes where its bytes lie on the disk, makes it
 * immutable so that nothing moves them, and reads them back from the disk itself. A reason when no places are to be had: then,
 * as when it throws, the caller removes the folder.
 */
export async function writeDiskStash(input: DiskStashInput): Promise<DiskStash> {
  const { folder, signal, run } = input;
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  await mkdir(folder, { mode: 0o700 });
  // It gets its place when its size is known.
  const preservedTar = join(folder, "preserved.tar.new");
  await input.writePreserved(preservedTar);
  const identityText = `${JSON.stringify(input.identity, undefined, 2)}\n`;
  const sources = [...(await packageSources(input)), ...(await ownSources(preservedTar, identityText))];
  signal.throwIfAborted();

  const path = join(folder, contentName);
  const allocation = await allocate(input, path, sources);
  if (!allocation.places) return allocation;
  const { places, attempts, elsewhereBytes } = allocation;
  const progress = countProgress(input, sources);
  const written: PlacedFile[] = [];
  for (const source of sources) {
    signal.throwIfAborted();
    written.push(await writePlaced(path, source, placeOf(places, source.name), progress));
  }
  await rm(preservedTar);
  // A resume record of an earlier conversion could lie there by chance.
  const zeros = {
    name: spaceNames.loader,
    sizeBytes: loaderBytes,
    read: () => [new Uint8Array(loaderBytes)],
  };
  const loader = await writePlaced(path, zeros, placeOf(places, spaceNames.loader), () => {});
  const own = await writeStashJson(input, path, places, written);
  await syncPath(folder);
  await syncPath(dirname(folder));

  await run("chattr", ["+i", path]);
  refuseMoved(await readFilePieces(run, path, input.devicePieces), places.values());
  if (!input.without.has("stash-read-back")) {
    // What the kernel remembers of the disk may be older than what the filesystem wrote.
    await run("blockdev", ["--flushbufs", input.disk]);
    for (const placed of [...written, loader, own]) {
      signal.throwIfAborted();
      await readBackPlaced(input.disk, placed, progress);
    }
  }
  const { ranges, sha256 } = own.file;
  const stashAt = {
    sector: ranges[0]!.startBytes / stashSectorBytes,
    count: own.sectorsBytes / stashSectorBytes,
  };
  return {
    stashSha256: sha256,
    stashAt,
    keepsOldSystem: places.has(spaceNames.oldSystem),
    attempts,
    elsewhereBytes,
  };
}

type Allocated = ({ places: StashPlaces } & Search) | { places?: undefined; reason: string };

async function allocate(
  input: DiskStashInput,
  path: string,
  sources: readonly StashSource[],
): Promise<Allocated> {
  const { run, oldSystem, signal } = input;
  const required = requiredItems(sources);
  const room = oldSystem ? [stashItem(spaceNames.oldSystem, oldSystem.bytes)] : [];
  const anywhere = input.without.has("stash-placement");
  const allocation = await allocateStash({
    items: oldSystem?.wanted === "require" ? [...required, ...room] : required,
    optional: oldSystem?.wanted === "auto" ? room : [],
    region: anywhere ? { startBytes: 0, sizeBytes: Number.MAX_SAFE_INTEGER } : input.region,
    judge: anywhere ? () => [] : input.judge,
    file: await createContentFile(run, path, input.devicePieces),
    signal,
  });
  if (!allocation.places) return allocation;
  await punchUnused(run, path, (await stat(path)).size, [...allocation.places.values()].flat());
  return allocation;
}

/** Says where all the others lie, and so is written last. */
function writeStashJson(
  input: DiskStashInput,
  path: string,
  places: StashPlaces,
  written: readonly PlacedFile[],
): Promise<PlacedFile> {
  const oldSystem = places.get(spaceNames.oldSystem);
  const [loader] = rangesOnDisk(placeOf(places, spaceNames.loader));
  const stash: Stash = {
    ...input.facts,
    format: 1,
    manifestSha256: input.manifestSha256,
    files: written.map(({ file }) => file),
    space: { loader: loader!, ...(oldSystem ? { oldSystem: rangesOnDisk(oldSystem) } : {}) },
  };
  const bytes = Buffer.from(renderStash(stash));
  const source = { name: spaceNames.stash, sizeBytes: bytes.length, read: () => [bytes] };
  return writePlaced(path, source, placeOf(places, spaceNames.stash), () => {});
}

function placeOf(places: StashPlaces, name: string): Piece[] {
  const found = places.get(name);
  if (!found) throw new InternalError(`the stash has no place for ${name}`);
  return found;
}

/** Everything is written, and then read back. */
function countProgress({ onProgress }: StashInput, sources: readonly StashSource[]): (bytes: number) => void {
  const total = 2 * sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  return (bytes) => onProgress(Math.min((done += bytes), total), total);
}
