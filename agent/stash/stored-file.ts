import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import type { ByteRange } from "../plan/step.ts";

/** Bytes that lie somewhere: ranges of a disk, or one range of a file in memory. */
export interface StoredFile {
  name: string;
  /** Device or file. */
  path: string;
  /** In the file's order; together at least sizeBytes. */
  ranges: readonly ByteRange[];
  sizeBytes: number;
  /** Lower-case hex; what it should be, not measured. */
  sha256: string;
}

const chunkBytes = 1024 * 1024;

/** Reads it piece by piece, never more than 2 MiB in memory. A yielded buffer is overwritten by the next but one. */
export async function* readStored(file: StoredFile): AsyncGenerator<Buffer> {
  const source = await open(file.path, "r");
  try {
    const buffers = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
    let turn = 0;
    for (const { startBytes, sizeBytes } of pieces(file)) {
      const buffer = buffers[turn]!.subarray(0, sizeBytes);
      turn = 1 - turn;
      await readFully(source, buffer, startBytes, file);
      yield buffer;
    }
  } finally {
    await source.close();
  }
}

/** The same pieces, measured on their way: once they have ended, `digest` gives the SHA-256, lower-case hex, of what was really there. */
export function measuredStored(file: StoredFile): { chunks: AsyncGenerator<Buffer>; digest: () => string } {
  const hash = createHash("sha256");
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of readStored(file)) {
      hash.update(chunk);
      yield chunk;
    }
  };
  return { chunks: chunks(), digest: () => hash.digest("hex") };
}

/** SHA-256, lower-case hex, of what is really there. */
export async function hashStored(
  file: StoredFile,
  onBytes: (done: number) => void = () => {},
): Promise<string> {
  const { chunks, digest } = measuredStored(file);
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    onBytes(done);
  }
  return digest();
}

/** Copies it to a file; SHA-256 of what was copied. */
export async function copyStored(
  file: StoredFile,
  to: string,
  onBytes: (done: number) => void = () => {},
): Promise<string> {
  const target = await open(to, "w");
  try {
    const { chunks, digest } = measuredStored(file);
    let done = 0;
    for await (const chunk of chunks) {
      await target.writeFile(chunk);
      done += chunk.length;
      onBytes(done);
    }
    return digest();
  } finally {
    await target.close();
  }
}

/** The chunks' places: every range cut into chunks, and no byte behind the file's end. */
function* pieces({ ranges, sizeBytes, name }: StoredFile): Generator<ByteRange> {
  let left = sizeBytes;
  for (const range of ranges) {
    for (let offset = 0; offset < range.sizeBytes && left > 0; offset += chunkBytes) {
      const length = Math.min(chunkBytes, range.sizeBytes - offset, left);
      yield { startBytes: range.startBytes + offset, sizeBytes: length };
      left -= length;
    }
  }
  if (left > 0) throw new StepError(`the ranges of ${name} are ${left} bytes shorter than the file`);
}

async function readFully(
  source: FileHandle,
  buffer: Buffer,
  position: number,
  { name, path }: StoredFile,
): Promise<void> {
  for (let length = 0; length < buffer.length;) {
    const { bytesRead } = await source.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) throw new StepError(`${path} ends at byte ${position + length}, within ${name}`);
    length += bytesRead;
  }
}
