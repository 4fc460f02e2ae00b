import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ContentCache } from "../../../../builder/system/content-cache.ts";

const top = mkdtempSync(join(tmpdir(), "dualroot-cache-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);

async function add(cache: ContentCache, key: string, bytes: number): Promise<void> {
  const entry = await cache.create(key);
  writeFileSync(join(entry.folder, "content"), Buffer.alloc(bytes, key));
  await entry.keep();
}

describe("the cache", () => {
  it("has entries whole or not at all", async () => {
    const folder = join(top, "whole");
    const cache = new ContentCache(folder, 1e9);
    expect(await cache.find("a")).toBeUndefined();
    const entry = await cache.create("a");
    writeFileSync(join(entry.folder, "content"), "x");
    expect(await cache.find("a")).toBeUndefined();
    await entry.keep();
    expect(await cache.find("a")).toBe(join(folder, "a"));
    const other = await cache.create("b");
    await other.drop();
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("takes the first of two builds that make the same at once", async () => {
    const folder = join(top, "twice");
    const cache = new ContentCache(folder, 1e9);
    const [one, two] = [await cache.create("a"), await cache.create("a")];
    for (const entry of [one, two]) writeFileSync(join(entry.folder, "content"), "x");
    await one.keep();
    await two.keep();
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("stays below its limit: what was not used for longest goes, nothing of the last hour", async () => {
    const folder = join(top, "bounded");
    const cache = new ContentCache(folder, 250_000);
    for (const [index, key] of ["old", "older", "used", "recent"].entries()) {
      await add(new ContentCache(folder, 1e9), key, 100_000);
      if (key !== "recent") utimesSync(join(folder, key), hoursAgo(index + 2), hoursAgo(index + 2));
    }
    mkdirSync(join(folder, "new-abandoned"));
    utimesSync(join(folder, "new-abandoned"), hoursAgo(48), hoursAgo(48));
    await cache.find("used");
    await add(cache, "newest", 100_000);
    expect(readdirSync(folder).sort()).toEqual(["newest", "recent", "used"]);
  });
});
