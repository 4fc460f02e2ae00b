import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { reclaimableBytes } from "../system/reclaimable-bytes.ts";
import { leftOutFolders, runtimeFolders } from "./exclusions.ts";

/** What each folder that slot B does without takes on its filesystem: path on the old system to bytes. Empty ones are not named. */
export async function leftOutBytes(root: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const folders = [...leftOutFolders];
  for (const { base, prefix } of runtimeFolders) {
    const names = await readdir(join(root, base)).catch(() => []);
    folders.push(...names.filter((name) => name.startsWith(prefix)).map((name) => join(base, name)));
  }
  for (const folder of folders) {
    const bytes = await reclaimableBytes(join(root, folder));
    if (bytes > 0) found.set(folder, bytes);
  }
  return found;
}
