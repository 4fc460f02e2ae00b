import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { ByteRange } from "../plan/step.ts";

export class RangesFullError extends Error {
  override readonly name = "RangesFullError";
}

/**
 * Writes a stream into ranges of a disk, one behind the other, then flushes the disk (fsync: a FLUSH reaches the medium).
 * Throws RangesFullError when the stream is longer than they are. Reading back is the caller's: see hashStored.
 */
export async function writeRanges(
  path: string,
  ranges: readonly ByteRange[],
  source: AsyncIterable<Uint8Array>,
): Promise<{ sizeBytes: number; sha256: string }> {
  const disk = await open(path, "r+");
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    let index = 0;
    let offset = 0;
    for await (const chunk of source) {
      hash.update(chunk);
      let written = 0;
      while (written < chunk.length) {
        const range = ranges[index];
        if (!range) throw new RangesFullError(`${path}: more than the ${sizeBytes} bytes there is room for`);
        const length = Math.min(chunk.length - written, range.sizeBytes - offset);
        const { bytesWritten } = await disk.write(chunk, written, length, range.startBytes + offset);
        written += bytesWritten;
        offset += bytesWritten;
        sizeBytes += bytesWritten;
        if (offset === range.sizeBytes) {
          index += 1;
          offset = 0;
        }
      }
    }
    await disk.sync();
  } finally {
    await disk.close();
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}
