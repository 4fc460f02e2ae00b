import { createHash } from "node:crypto";
import { open, rename, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { hasErrorCode } from "../../format/errors.ts";

/** SHA-256 of a file of any size in constant memory, lower-case hex. */
export async function sha256File(
  path: string | Buffer,
  onBytes: (done: number) => void = () => {},
): Promise<string> {
  const file = await open(path, "r");
  try {
    return await drain(file, async (_, done) => onBytes(done));
  } finally {
    await file.close();
  }
}

/** Copies a file of any size and measures what is copied: SHA-256, lower-case hex. */
export async function copyMeasured(
  from: string,
  to: string,
  onBytes: (done: number) => void = () => {},
): Promise<string> {
  const source = await open(from, "r");
  const target = await open(to, "w");
  try {
    return await drain(source, async (chunk, done) => {
      await target.writeFile(chunk); // from where it stands; all of it, or it throws
      onBytes(done);
    });
  } finally {
    await source.close();
    await target.close();
  }
}

const chunkBytes = 1024 * 1024;

/**
 * Gives the digest of the whole file. Two buffers in all, for the garbage collector frees such late: while this thread hashes
 * one, others write it and read the next.
 */
async function drain(
  file: FileHandle,
  onChunk: (chunk: Buffer, done: number) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  let [current, other] = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
  let { bytesRead } = await file.read(current, 0, chunkBytes);
  let done = bytesRead;
  while (bytesRead > 0) {
    const chunk = current.subarray(0, bytesRead);
    const moving = Promise.all([file.read(other, 0, chunkBytes), onChunk(chunk, done)]);
    hash.update(chunk);
    [{ bytesRead }] = await moving;
    done += bytesRead;
    [current, other] = [other, current];
  }
  return hash.digest("hex");
}

/** Old content or new content after a power cut, never a mix: temporary name, fsync, rename, fsync of the folder. */
export async function writeFileDurably(
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncPath(dirname(path));
}

/** Returns when the file's content, or the folder's list of names, is on the medium. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export class FileTooLargeError extends Error {
  override readonly name = "FileTooLargeError";
}

const usualBytes = 16 * 1024;

/** Reads at most `limit` bytes; undefined when the file does not exist. Throws FileTooLargeError when it is larger: input is bounded. */
export async function readBounded(path: string, limit: number): Promise<Buffer | undefined> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  try {
    // Grown as needed: most files are small, and buffers of the limit's size would keep the garbage collector busy.
    let buffer = Buffer.alloc(Math.min(limit, usualBytes) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
      if (length > limit) throw new FileTooLargeError(`${path} is larger than ${limit} bytes`);
      if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(limit + 1, 2 * buffer.length));
    }
  } finally {
    await file.close();
  }
}

/** Text of a small file (up to 1 MiB), or undefined when it is not there. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  return (await readBounded(path, 1024 * 1024))?.toString("utf8");
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
