import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { RootSource } from "../../../../builder/inputs/root-source.ts";
import { cachedBody } from "../../../../builder/rootfs/cached-body.ts";
import { ContentCache } from "../../../../builder/system/content-cache.ts";
import type * as writing from "../../../../builder/system/write-chunks.ts";
import { StepError } from "../../../../format/errors.ts";
import { silent } from "../../../../format/events.ts";

const full = vi.hoisted(() => ({ folder: "" }));
vi.mock("../../../../builder/system/write-chunks.ts", async (original) => {
  const { writeChunks } = await original<typeof writing>();
  return {
    writeChunks: async (output: string, sources: readonly AsyncIterable<Uint8Array>[]) => {
      if (!output.startsWith(full.folder)) return await writeChunks(output, sources);
      for await (const _ of sources[0]!) break;
      const cause = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      throw new StepError(`cannot write ${output}`, { hint: "", cause });
    },
  };
});

test("a source that is read once is packed without the cache where that has no room", async () => {
  const top = mkdtempSync(join(tmpdir(), "dualroot-body-"));
  onTestFinished(() => rmSync(top, { recursive: true }));
  full.folder = join(top, "cache");
  const root = join(top, "scratch/rootfs");
  mkdirSync(root, { recursive: true });
  let readings = 0;
  const source = {
    root,
    stamp: () => Promise.resolve("stamp"),
    archiveOnce: () => {
      readings += 1;
      const digests = new Map<string, string>();
      const chunks = (async function* () {
        yield Buffer.alloc(1000, "x");
        digests.set("file", "digest");
      })();
      return { chunks, digests };
    },
  } as unknown as RootSource;
  const inputs = {
    source,
    kept: [],
    sourceDateEpoch: 0,
    compression: { xzLevel: 1, blockBytes: 1024 * 1024 },
    totalBytes: 1,
    progress: () => {},
    report: silent,
  };
  const body = await cachedBody({ ...inputs, cacheFolder: full.folder });
  let bytes = 0;
  for await (const chunk of body.chunks()) bytes += chunk.length;
  expect(bytes).toBeGreaterThan(50);
  expect([...body.digests]).toEqual([["file", "digest"]]);
  await body.keep();
  await body.close();
  expect(readings).toBe(2);
  expect(readdirSync(join(full.folder, "rootfs"))).toEqual([]);

  // Where it is not the cache that is full, nothing helps.
  full.folder = dirname(root);
  vi.spyOn(ContentCache.prototype, "create").mockRejectedValueOnce(new Error("it cannot be written"));
  await expect(cachedBody({ ...inputs, cacheFolder: join(top, "none") })).rejects.toThrow("cannot write");
});
