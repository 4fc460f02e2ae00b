import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Run } from "../../agent/system/run.ts";

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
  const results = paths.map((path) =>
    tools[extname(path)] === undefined ? path : join(folder, cacheName(path)),
  );
  const absent = paths
    .map((path, index) => ({ path, result: results[index]! }))
    .filter(({ result }) => !existsSync(result));
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
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return results;
}

/** A module file is never changed in place without its size or time changing. */
function cacheName(path: string): string {
  const { size, mtimeNs, ino, dev } = statSync(path, { bigint: true });
  const digest = createHash("sha256").update(`${path}\0${dev}\0${ino}\0${size}\0${mtimeNs}`).digest("hex");
  return `${digest.slice(0, 32)}.ko`;
}
