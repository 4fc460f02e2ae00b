import { cacheFolder } from "../system/cache-folder.ts";
import { cacheUse, clearCache } from "../system/cache-use.ts";
import { cacheLines } from "../render/cache.ts";
import { printResult } from "../render/print.ts";

export async function cacheCommand(options: { clear?: true; json?: true }): Promise<void> {
  const folder = cacheFolder();
  const parts = await cacheUse(folder);
  if (options.clear) await clearCache(folder);
  const cleared = options.clear ?? false;
  printResult(options.json, { folder, cleared, parts }, () => cacheLines({ folder, cleared, parts }));
}
