import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FileDigests } from "../../../../builder/ramdisk/file-digests.ts";
import { sha256Hex } from "../../../../format/digest.ts";

test("builds that save at the same moment do not disturb each other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-digests-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), "content");
  const index = join(folder, "cache", "digests.json");
  const builds = Array.from({ length: 20 }, () => new FileDigests(index));
  await Promise.all(
    builds.map(async (digests) => {
      expect(await digests.digest(join(folder, "file"))).toBe(sha256Hex("content"));
      await digests.save();
    }),
  );
  expect(readdirSync(join(folder, "cache"))).toEqual(["digests.json"]);
  expect(await new FileDigests(index).digest(join(folder, "file"))).toBe(sha256Hex("content"));
});
