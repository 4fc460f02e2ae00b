import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256File } from "../../agent/system/files.ts";

/** Beside the file that it is of. */
const digestPath = (file: string): string => join(dirname(file), "sha256");

export async function storeDigest(file: string, sha256: string): Promise<void> {
  await writeFile(digestPath(file), sha256);
}

/** Whether a cached file has the bytes that were written. A damaged cache costs time, nothing else. */
export async function isWhole(file: string): Promise<boolean> {
  try {
    return (await readFile(digestPath(file), "utf8")) === (await sha256File(file));
  } catch {
    return false;
  }
}
