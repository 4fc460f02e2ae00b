import type { FileHandle } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import type { StepContext } from "./step-context.ts";

export const sectorBytes = 512;

/** Writes what boots: flushed to the medium, and read back from it. */
export async function writeChecked(
  disk: FileHandle,
  { bytes, position, what, path }: { bytes: Buffer; position: number; what: string; path: string },
  { run, without }: Pick<StepContext, "run" | "without">,
): Promise<void> {
  const { bytesWritten } = await disk.write(bytes, 0, bytes.length, position);
  if (bytesWritten !== bytes.length)
    throw new StepError(`${what}: only ${bytesWritten} of ${bytes.length} bytes were written`);
  if (!without.has("flush")) await disk.sync();
  if (without.has("read-back")) return;
  // The medium answers, not the kernel's cache; on an image file there is no cache to drop.
  if ((await disk.stat()).isBlockDevice()) await run("blockdev", ["--flushbufs", path]);
  if (!(await readExactly(disk, bytes.length, position)).equals(bytes)) {
    throw new StepError(`${what} reads back different from what was written`, {
      hint: "The disk is failing or write-protected.",
    });
  }
}

export async function readExactly(disk: FileHandle, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await disk.read(buffer, 0, length, position);
  if (bytesRead !== length)
    throw new StepError(`only ${bytesRead} of ${length} bytes could be read at byte ${position}`);
  return buffer;
}
