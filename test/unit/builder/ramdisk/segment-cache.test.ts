import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createRun } from "../../../../agent/system/run.ts";
import { FileDigests } from "../../../../builder/ramdisk/file-digests.ts";
import { cachedSegment, type Segment } from "../../../../builder/ramdisk/segment.ts";
import { uncompressedModules } from "../../../../builder/ramdisk/uncompressed-modules.ts";
import { silent } from "../../../../format/events.ts";

const run = createRun(silent);

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-segments-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a segment is compressed once, and again when what was kept of it is damaged", async () => {
  const cacheFolder = scratch();
  const segment: Segment = {
    name: "agent",
    entries: [{ type: "file", path: "init", mode: 0o755, source: { bytes: Buffer.from("x".repeat(9999)) } }],
    modifiedAt: 7,
  };
  const programs: string[] = [];
  const context = {
    cacheFolder,
    digests: new FileDigests(join(cacheFolder, "digests.json")),
    run: ((program, words, options) => {
      programs.push(program);
      return run(program, words, options);
    }) as typeof run,
    compression: "gzip" as const,
  };
  const first = await cachedSegment(segment, context);
  const bytes = readFileSync(first);
  expect(await cachedSegment(segment, context)).toBe(first);
  expect(programs).toEqual(["libdeflate-gzip"]);

  writeFileSync(first, Buffer.concat([bytes.subarray(0, 20), Buffer.from("!"), bytes.subarray(21)]));
  expect(await cachedSegment(segment, context)).toBe(first);
  expect(programs).toHaveLength(2);
  expect(readFileSync(first).equals(bytes)).toBe(true);
  expect(readdirSync(join(cacheFolder, "segments"))).toHaveLength(1);
});

test("a module is decompressed once, wherever the archive it came from was unpacked", async () => {
  const cacheFolder = scratch();
  const [left, right] = [scratch(), scratch()];
  for (const folder of [left, right]) {
    writeFileSync(join(folder, "plain.ko"), "plain");
    writeFileSync(join(folder, "packed.ko"), "module ".repeat(100));
    await run("xz", ["--no-sparse", "-q", join(folder, "packed.ko")]);
  }
  const at = (folder: string) => [join(folder, "plain.ko"), join(folder, "packed.ko.xz")];
  const [plain, packed] = await uncompressedModules(at(left), { run, cacheFolder });
  expect(plain).toBe(join(left, "plain.ko"));
  expect(readFileSync(packed!, "utf8")).toBe("module ".repeat(100));
  const refuse = (() => Promise.reject(new Error("not again"))) as unknown as typeof run;
  expect(await uncompressedModules(at(right), { run: refuse, cacheFolder })).toEqual([
    join(right, "plain.ko"),
    packed,
  ]);
});
