import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheParts, type CachePart } from "./cache-parts.ts";
import { bytesOf } from "./content-cache.ts";

export interface CacheUse extends CachePart {
  entries: number;
  /** On the disk. */
  bytes: number;
  /** ISO 8601; absent when there is nothing. */
  usedAt?: string;
}

/** What lies in each part of the cache now. */
export async function cacheUse(folder: string): Promise<CacheUse[]> {
  return await Promise.all(
    cacheParts.map(async (part): Promise<CacheUse> => {
      const path = join(folder, part.name);
      const top = await stat(path).catch(() => undefined);
      const names = top?.isDirectory() ? await readdir(path) : top ? [""] : [];
      const times = await Promise.all(
        names.map(async (name) => (await stat(join(path, name)).catch(() => undefined))?.mtime),
      );
      const last = times.filter((time) => time !== undefined).sort((a, b) => b.getTime() - a.getTime())[0];
      return {
        ...part,
        entries: names.length,
        bytes: await bytesOf(path),
        ...(last ? { usedAt: last.toISOString() } : {}),
      };
    }),
  );
}

/** Removes the builder's own parts, and nothing else that lies there. */
export async function clearCache(folder: string): Promise<void> {
  for (const { name } of cacheParts) await rm(join(folder, name), { recursive: true, force: true });
}
