import { open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { hasErrorCode, StepError } from "../../format/errors.ts";
import { grubenvBytes } from "../../format/grubenv.ts";
import { syncPath } from "../system/files.ts";

/**
 * Overwrites the same 1024 bytes in one write and flushes them. Never renamed, never emptied: GRUB reads and writes the very blocks
 * the file has, and looks at no journal. A file of another size gets the right one afterwards.
 */
export async function writeGrubenv(path: string, block: Uint8Array): Promise<void> {
  if (block.length !== grubenvBytes) throw new RangeError(`a GRUB environment has ${grubenvBytes} bytes`);
  const { file, isNew } = await openForWriting(path);
  try {
    const { bytesWritten } = await file.write(block, 0, block.length, 0);
    if (bytesWritten !== block.length)
      throw new StepError(`${path}: only ${bytesWritten} of ${block.length} bytes were written`);
    if ((await file.stat()).size !== grubenvBytes) {
      await file.truncate(grubenvBytes);
      await file.sync();
    } else await file.datasync();
  } finally {
    await file.close();
  }
  if (isNew) await syncPath(dirname(path));
}

async function openForWriting(path: string): Promise<{ file: FileHandle; isNew: boolean }> {
  try {
    return { file: await open(path, "r+"), isNew: false };
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
    return { file: await open(path, "wx+", 0o644), isNew: true };
  }
}
