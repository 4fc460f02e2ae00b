import { InternalError, userError } from "../../../format/errors.ts";
import { shownPath, type RawPath } from "../../rootfs/raw-path.ts";
import type { Entry, EntryType } from "../../rootfs/walk.ts";

/** An entry as a folder's would be, with what a link says. */
export interface ListedEntry extends Entry {
  linkTarget: RawPath;
}

/** Type, size, blocks of 512 bytes, time, file system and inode, links, path, target: GNU find's words. */
export const findFormat = String.raw`%y\0%s\0%b\0%T@\0%D:%i\0%n\0%P\0%l\0`;
const fields = 8;
const types: Record<string, EntryType> = {
  f: "file",
  d: "folder",
  l: "link",
  c: "device",
  b: "device",
  p: "fifo",
  s: "socket",
};

/** What find has written, sorted by path; without the top itself. */
export async function listedEntries(output: AsyncIterable<Uint8Array>): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  let words: string[] = [];
  let waiting = "";
  for await (const chunk of output) {
    const parts = (
      waiting + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1")
    ).split("\0");
    waiting = parts.pop()!;
    for (const part of parts) {
      words.push(part);
      if (words.length < fields) continue;
      const entry = entryOf(words);
      if (entry.path !== "") entries.push(entry);
      words = [];
    }
  }
  if (waiting !== "" || words.length > 0) throw new InternalError("find's list ends within an entry");
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  refuseImpossible(entries);
  return entries;
}

/** A filesystem made to deceive may have names that lead elsewhere, or one name twice; nothing of it is written then. */
function refuseImpossible(entries: readonly ListedEntry[]): void {
  const folders = new Set([""]);
  let before = "";
  for (const { path, type } of entries) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (path === before || !folders.has(parent) || ["", ".", ".."].includes(name))
      throw userError({
        code: "disk-filesystem-damaged",
        message: `the root filesystem has an entry that cannot be: ${JSON.stringify(shownPath(path).slice(0, 300))}`,
        hint: "Check the filesystem in the machine (fsck, xfs_repair), and export it again.",
      });
    if (type === "folder") folders.add(path);
    before = path;
  }
}

function entryOf(words: readonly string[]): ListedEntry {
  const [letter, size, blocks, time, inode, links, path, linkTarget] = words as [string, ...string[]];
  const type = types[letter];
  if (type === undefined) throw new InternalError(`find gave the type ${JSON.stringify(letter)}`);
  return {
    path: path!,
    type,
    sizeBytes: Number(size),
    allocatedBytes: Number(blocks) * 512,
    modifiedAt: Math.max(0, Math.floor(Number(time))),
    inode: inode!,
    links: Number(links),
    linkTarget: linkTarget!,
  };
}
