import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { extractRootfs } from "../../../../agent/steps/extract-rootfs.ts";
import { sha256File } from "../../../../agent/system/files.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";

const run = createRun(silent);
const scratch = mkdtempSync(join(tmpdir(), "extract-"));
const archive = join(scratch, "rootfs.tar.xz");
const other = join(scratch, "other.tar.xz");

/** An archive of one file; the second has the same size and is as valid. */
async function pack(path: string, word: string): Promise<void> {
  const tree = mkdtempSync(join(scratch, "tree-"));
  mkdirSync(join(tree, "etc"));
  writeFileSync(join(tree, "etc/word"), word.repeat(50));
  await run("tar", ["-C", tree, "--mtime=@0", "-cf", `${path}.tar`, "."]);
  await run("sh", ["-c", 'xz -0 --check=crc32 --stdout "$1.tar" >"$1"', "sh", path]);
}

beforeAll(async () => {
  await pack(archive, "good");
  await pack(other, "evil");
});

async function extract(path: string, sha256: string): Promise<string> {
  const target = mkdtempSync(join(scratch, "target-"));
  const size = statSync(path).size;
  const step = { target, archiveBytes: size, unpackedBytes: 0 };
  await extractRootfs(
    { kind: "extract-rootfs", title: "", ...step },
    {
      report: silent,
      stored: (name) => ({
        name,
        path,
        ranges: [{ startBytes: 0, sizeBytes: size }],
        sizeBytes: size,
        sha256,
      }),
    },
  );
  return readFileSync(join(target, "etc/word"), "utf8");
}

test("unpacks what was verified", async () => {
  expect(await extract(archive, await sha256File(archive))).toBe("good".repeat(50));
});

test("another archive of the same size, put there after it was verified, is noticed", async () => {
  const verified = await sha256File(archive);
  expect(statSync(other).size).toBe(statSync(archive).size);
  copyFileSync(other, join(scratch, "swapped"));
  await expect(extract(join(scratch, "swapped"), verified)).rejects.toThrow("is not what was verified");
});
