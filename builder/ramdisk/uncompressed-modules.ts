import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Run } from "../../agent/system/run.ts";
import { sha256Hex } from "../../format/digest.ts";
import { mostCacheBytes, rarelyNoted } from "../system/cache-parts.ts";
import { ContentCache } from "../system/content-cache.ts";

export interface ModuleDecompressor {
  run: Run;
  cacheFolder: string;
}

const tools: Record<string, string> = { ".gz": "gzip", ".xz": "xz", ".zst": "zstd" };

/**
 * Modules as the kernel takes them, one path for each given: `.ko` is itself, a compressed one is unpacked into the cache.
 * The image is compressed as a whole, which makes it smaller than one of compressed modules, and needs no decompressor to load them.
 */
export async function uncompressedModules(
  paths: readonly string[],
  decompressor: ModuleDecompressor,
): Promise<string[]> {
  const folder = join(decompressor.cacheFolder, "modules");
  const cache = new ContentCache(folder, mostCacheBytes.modules, rarelyNoted);
  const results: string[] = [];
  const absent: { path: string; result: string }[] = [];
  for (const path of paths) {
    const isPacked = tools[extname(path)] !== undefined;
    const name = isPacked ? cacheName(path) : "";
    const result = isPacked ? join(folder, name) : path;
    results.push(result);
    if (isPacked && (await cache.find(name)) === undefined) absent.push({ path, result });
  }
  if (absent.length === 0) return results;
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, "new-"));
  try {
    for (const [suffix, tool] of Object.entries(tools)) {
      const batch = absent.filter(({ path }) => extname(path) === suffix);
      if (batch.length === 0) continue;
      const copies = batch.map(({ result }) => ({
        result,
        copy: join(scratch, result.slice(folder.length + 1)),
      }));
      for (const [index, { copy }] of copies.entries())
        await copyFile(batch[index]!.path, `${copy}${suffix}`);
      const quiet = tool === "zstd" ? ["--rm"] : [];
      await decompressor.run(tool, ["-d", "-q", ...quiet, ...copies.map(({ copy }) => `${copy}${suffix}`)], {
        hint: `Install the package that has ${tool}.`,
      });
      for (const { copy, result } of copies) await rename(copy, result);
    }
    await cache.prune(basename(absent[0]!.result));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return results;
}

/** By content: a module out of an archive lies at another place in every build. */
function cacheName(path: string): string {
  return `${sha256Hex(readFileSync(path)).slice(0, 32)}.ko`;
}
