import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "../../format/errors.ts";
import { removeOnInterrupt } from "./remove-on-interrupt.ts";

/** Entries used so recently may still be read by another build; a use is noted when the last note is older. */
const always = { noteMs: 0, inUseMs: 60 * 60 * 1000 };
/** Leftovers of builds that were killed. */
const abandonedMs = 24 * 60 * 60 * 1000;
const scratchPrefix = "new-";

/**
 * Files or folders found again by a key that names everything that decides their content. An entry appears whole or not at all, so
 * two builds may use one cache at once; those not used for longest go when there is too much.
 */
export class ContentCache {
  readonly #folder: string;
  readonly #mostBytes: number;
  readonly #noted: { noteMs: number; inUseMs: number };

  constructor(folder: string, mostBytes: number, noted: { noteMs: number; inUseMs: number } = always) {
    this.#folder = folder;
    this.#mostBytes = mostBytes;
    this.#noted = noted;
  }

  async find(key: string): Promise<string | undefined> {
    const path = join(this.#folder, key);
    const stats = await stat(path).catch((error: unknown) => {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    });
    if (!stats) return undefined;
    const now = new Date();
    // A cache of somebody else may be read only.
    if (now.getTime() - stats.mtimeMs >= this.#noted.noteMs) await utimes(path, now, now).catch(() => {});
    return path;
  }

  /** A folder to fill, which `keep` turns into the entry, whose path it gives. Until then Ctrl-C removes it. */
  async create(
    key: string,
  ): Promise<{ folder: string; keep: () => Promise<string>; drop: () => Promise<void> }> {
    await mkdir(this.#folder, { recursive: true });
    const folder = await mkdtemp(join(this.#folder, scratchPrefix));
    const stopWatching = removeOnInterrupt(() => folder);
    const drop = async (): Promise<void> => {
      try {
        await rm(folder, { recursive: true, force: true });
      } finally {
        stopWatching();
      }
    };
    return {
      folder,
      keep: async () => {
        // Another build may have been faster; its entry is the same.
        await rename(folder, join(this.#folder, key)).then(stopWatching, drop);
        await this.prune(key);
        return join(this.#folder, key);
      },
      drop,
    };
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#folder, key), { recursive: true, force: true });
  }

  /** Takes away the oldest until the rest fits; `newest` stays. */
  async prune(newest: string): Promise<void> {
    const found: { path: string; usedAt: number; bytes: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const stats = await stat(path).catch(() => undefined);
      if (!stats || name === newest) continue;
      if (!name.startsWith(scratchPrefix))
        found.push({ path, usedAt: stats.mtimeMs, bytes: await bytesOf(path) });
      else if (Date.now() - stats.mtimeMs > abandonedMs) await rm(path, { recursive: true, force: true });
    }
    let total = await bytesOf(join(this.#folder, newest));
    for (const entry of found.sort((a, b) => b.usedAt - a.usedAt)) {
      total += entry.bytes;
      if (total > this.#mostBytes && Date.now() - entry.usedAt > this.#noted.inUseMs)
        await rm(entry.path, { recursive: true, force: true });
    }
  }
}

/** What a file, or a folder with all in it, takes on the disk. */
export async function bytesOf(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return stats ? stats.blocks * 512 : 0;
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      bytes += ((await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.blocks ?? 0) * 512;
  return bytes;
}
