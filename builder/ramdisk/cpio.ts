import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { InternalError } from "../../format/errors.ts";

/** Where a file's bytes come from: memory, or a file of the build host whose size is already known. */
export type FileSource = { bytes: Uint8Array } | { path: string; size: number };

/** One record of an archive. `path` is relative to the ramdisk's top, without a leading slash. Owner is always root. */
export type CpioEntry =
  | { type: "directory"; path: string; mode: number }
  | { type: "file"; path: string; mode: number; source: FileSource }
  | { type: "symlink"; path: string; target: string }
  | { type: "character-device"; path: string; mode: number; major: number; minor: number };

/** stat(2)'s file type bits. */
const typeBits = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  "character-device": 0o020000,
} as const;
/** Files up to this size are read in one go; larger ones are streamed. */
const wholeReadLimit = 4 * 1024 * 1024;
/** The format has 8 hex digits for a size. */
const maximumSize = 0xffff_ffff;

/** Kernel's `initramfs buffer format`, which is SVR4 "newc" (magic 070701): 13 numbers of 8 hex digits, name, NUL, padded to 4. */
export function cpioHeader(entry: CpioEntry, inode: number, modifiedAt: number): Buffer {
  if (entry.path.startsWith("/") || entry.path === "" || entry.path.split("/").includes("..")) {
    throw new InternalError(`"${entry.path}" is no path for a ramdisk`);
  }
  const size = contentSize(entry);
  if (size > maximumSize)
    throw new InternalError(`${entry.path} is too large for a cpio archive (${size} bytes)`);
  const device = entry.type === "character-device" ? entry : { major: 0, minor: 0 };
  const mode = typeBits[entry.type] | (entry.type === "symlink" ? 0o777 : entry.mode);
  const links = entry.type === "directory" ? 2 : 1;
  return header(entry.path, [inode, mode, 0, 0, links, modifiedAt, size, 0, 0, device.major, device.minor]);
}

/**
 * The archive as a stream of chunks: the same entries give the same bytes. Sorted by path, so folders come before what is in
 * them; inodes are counted from 1; `modifiedAt` (seconds) is everybody's time.
 */
export async function* cpioArchive(
  entries: readonly CpioEntry[],
  modifiedAt: number,
): AsyncGenerator<Uint8Array> {
  let inode = 0;
  for (const entry of sortedByPath(entries)) {
    inode += 1;
    yield cpioHeader(entry, inode, modifiedAt);
    const size = contentSize(entry);
    let written = 0;
    for await (const chunk of content(entry)) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size)
      throw new InternalError(`${entry.path} changed while it was read: ${size} bytes became ${written}`);
    if (size % 4 !== 0) yield Buffer.alloc(4 - (size % 4));
  }
  yield header("TRAILER!!!", [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
}

export function contentSize(entry: CpioEntry): number {
  switch (entry.type) {
    case "directory":
    case "character-device":
      return 0;
    case "symlink":
      return Buffer.byteLength(entry.target);
    case "file":
      return "bytes" in entry.source ? entry.source.bytes.length : entry.source.size;
  }
}

/** By bytes, not by locale; two entries with one path are a mistake of the caller. */
export function sortedByPath(entries: readonly CpioEntry[]): CpioEntry[] {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const [index, entry] of sorted.entries()) {
    if (sorted[index + 1]?.path === entry.path)
      throw new InternalError(`${entry.path} is twice in the ramdisk`);
  }
  return sorted;
}

async function* content(entry: CpioEntry): AsyncGenerator<Uint8Array> {
  if (entry.type === "symlink") yield Buffer.from(entry.target);
  if (entry.type !== "file") return;
  if ("bytes" in entry.source) yield entry.source.bytes;
  else if (entry.source.size <= wholeReadLimit) yield await readFile(entry.source.path);
  else yield* createReadStream(entry.source.path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
}

/** `fields`: inode, mode, uid, gid, links, mtime, size, device major and minor, special device major and minor. */
function header(path: string, fields: readonly number[]): Buffer {
  const nameSize = Buffer.byteLength(path) + 1;
  const numbers = [...fields, nameSize, 0].map((field) => field.toString(16).padStart(8, "0")).join("");
  const head = Buffer.from(`070701${numbers}${path}\0`);
  return Buffer.concat([head, Buffer.alloc((4 - (head.length % 4)) % 4)]);
}
