import { lstat, readdir } from "node:fs/promises";
import { onDisk, type RawPath } from "./raw-path.ts";

export type EntryType = "file" | "folder" | "link" | "device" | "fifo" | "socket";

export interface Entry {
  path: RawPath;
  type: EntryType;
  sizeBytes: number;
  /** Bytes on disk; less than the size for sparse files. */
  allocatedBytes: number;
  /** Seconds, whole. */
  modifiedAt: number;
  /** Same word for hard links of one file. */
  inode: string;
  links: number;
}

/** Every entry below a folder, without following links and without leaving the file system's tree, sorted by path bytes. */
export async function walk(root: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const folders: RawPath[] = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const parent = folder;
    const names = await readdir(onDisk(root, parent), { encoding: "buffer" });
    const found = await Promise.all(
      names.map((name) =>
        entryAt(root, parent === "" ? name.toString("latin1") : `${parent}/${name.toString("latin1")}`),
      ),
    );
    for (const entry of found) {
      entries.push(entry);
      if (entry.type === "folder") folders.push(entry.path);
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function entryAt(root: string, path: RawPath): Promise<Entry> {
  const stats = await lstat(onDisk(root, path));
  return {
    path,
    type: stats.isFile()
      ? "file"
      : stats.isDirectory()
        ? "folder"
        : stats.isSymbolicLink()
          ? "link"
          : stats.isFIFO()
            ? "fifo"
            : stats.isSocket()
              ? "socket"
              : "device",
    sizeBytes: stats.size,
    allocatedBytes: stats.blocks * 512,
    modifiedAt: Math.max(0, Math.floor(stats.mtimeMs / 1000)),
    inode: `${stats.dev}:${stats.ino}`,
    links: stats.nlink,
  };
}
