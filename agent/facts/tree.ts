import { readFile, readdir, realpath } from "node:fs/promises";
import { join, relative } from "node:path";

/** /proc, /sys and /etc below a prefix, so that a recorded tree is a fixture. Whatever cannot be read is absent. */
export interface Tree {
  /** Trimmed text, or undefined. Reads at most what the kernel gives: these are small files. */
  text: (path: string) => Promise<string | undefined>;
  bytes: (path: string) => Promise<Buffer | undefined>;
  /** Names in a folder, sorted; none when it is not there. */
  list: (path: string) => Promise<string[]>;
  /** Where a link chain ends, as a path inside the tree. */
  resolve: (path: string) => Promise<string | undefined>;
}

export function openTree(root: string): Tree {
  const bytes = (path: string): Promise<Buffer | undefined> => orAbsent(() => readFile(join(root, path)));
  return {
    bytes,
    text: async (path) => (await bytes(path))?.toString("utf8").trim(),
    list: async (path) => ((await orAbsent(() => readdir(join(root, path)))) ?? []).sort(),
    resolve: async (path) => {
      const end = await orAbsent(() => realpath(join(root, path)));
      return end === undefined ? undefined : `/${relative(await realpath(root), end)}`;
    },
  };
}

/** sysfs files vanish, refuse or answer EIO as devices come and go: for facts that all means "not known". */
async function orAbsent<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}
