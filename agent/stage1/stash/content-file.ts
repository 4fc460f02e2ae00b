import { statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { StepError } from "../../../format/errors.ts";
import { parseFilefrag } from "../../facts/parse-filefrag.ts";
import { mapPieces, type Piece } from "../../plan/map-to-disk.ts";
import { subtractByteRanges } from "../../plan/byte-ranges.ts";
import type { Run } from "../../system/run.ts";
import type { GrowingFile } from "./allocate-stash.ts";

/** The preallocated file that holds all of a stash on the disk, below the stash's folder. */
export const contentName = "content";

/** Of ext4 and XFS, at most. */
const blockBytes = 4096;

/** A new, empty, private file at `path`; `devicePieces` say where its filesystem's device lies on the disk. */
export async function createContentFile(
  run: Run,
  path: string,
  devicePieces: readonly Piece[],
): Promise<GrowingFile> {
  await writeFile(path, "", { mode: 0o600, flag: "wx" });
  let sizeBytes = 0;
  return {
    grow: async (bytes) => {
      const length = Math.ceil(bytes / blockBytes) * blockBytes;
      const { exitCode } = await run(
        "fallocate",
        ["--offset", `${sizeBytes}`, "--length", `${length}`, path],
        {
          acceptExitCodes: [1],
        },
      );
      if (exitCode !== 0) return undefined;
      sizeBytes += length;
      return readFilePieces(run, path, devicePieces);
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(dirname(path));
      return bavail * bsize;
    },
  };
}

/** Where a file's bytes lie on the disk, as the filesystem and the device tables say. */
export async function readFilePieces(
  run: Run,
  path: string,
  devicePieces: readonly Piece[],
): Promise<Piece[]> {
  const { stdout } = await run("filefrag", ["-v", "-s", "-b512", path]);
  const pieces = mapPieces(parseFilefrag(stdout), devicePieces);
  if (!pieces) throw new StepError(`${path} has bytes behind the end of its device.`);
  return pieces;
}

/** Gives back all of the file but what is in use: the rest had been allocated in places that will not do. */
export async function punchUnused(
  run: Run,
  path: string,
  sizeBytes: number,
  used: readonly Piece[],
): Promise<void> {
  const unused = subtractByteRanges(
    [{ startBytes: 0, sizeBytes }],
    used.map(({ offsetBytes, sizeBytes }) => ({
      startBytes: offsetBytes,
      // Blocks in part used are used.
      sizeBytes: Math.ceil(sizeBytes / blockBytes) * blockBytes,
    })),
  );
  for (const { startBytes, sizeBytes: length } of unused)
    await run("fallocate", ["--punch-hole", "--offset", `${startBytes}`, "--length", `${length}`, path]);
}
