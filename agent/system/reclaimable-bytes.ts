import type { Dirent } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "../../format/errors.ts";

const blockBytes = 512;

/** What removing the folder would free: hard links to files that stay elsewhere free nothing. */
export async function reclaimableBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await reclaimableBytes(path);
    const { blocks, nlink } = await lstat(path);
    if (entry.isFile() && nlink === 1) sum += blocks * blockBytes;
  }
  return sum;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  }
}
