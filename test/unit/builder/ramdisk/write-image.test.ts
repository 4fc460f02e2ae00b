import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { FileDigests } from "../../../../builder/ramdisk/file-digests.ts";
import type { Segment } from "../../../../builder/ramdisk/segment.ts";
import { writeImage } from "../../../../builder/ramdisk/write-image.ts";

// With --no-cache the cache is inside the work folder, which goes when a build fails.
test("an image whose segment fails leaves no other one at work", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-image-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const segment = (name: Segment["name"]): Segment => ({
    name,
    entries: [{ type: "file", path: name, mode: 0o644, source: { bytes: Buffer.from(name) } }],
    modifiedAt: 0,
  });
  const atWork = new Set<string>();
  const context = {
    cacheFolder: join(folder, "cache"),
    digests: new FileDigests(join(folder, "digests.json")),
    compression: "gzip" as const,
    run: async (_: string, words: readonly string[]) => {
      const file = words.at(-1)!;
      atWork.add(file);
      await sleep(atWork.size === 1 ? 10 : 300);
      atWork.delete(file);
      throw new Error("no room");
    },
  };
  await expect(
    writeImage([segment("tools"), segment("kernel")], context, join(folder, "image")),
  ).rejects.toThrow("no room");
  rmSync(context.cacheFolder, { recursive: true });
  expect([...atWork]).toEqual([]);
  await sleep(400);
  expect(existsSync(context.cacheFolder)).toBe(false);
});
