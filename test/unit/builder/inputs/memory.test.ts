import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const builder = fileURLToPath(new URL("../../../../builder/", import.meta.url));

/** Runs these lines with a heap that old objects may fill up to so many MiB. */
function runWithin(oldSpaceMiB: number, lines: string): { status: number | null; stdout: string } {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-memory-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, "script.mts");
  writeFileSync(script, lines);
  const words = [`--max-old-space-size=${oldSpaceMiB}`, "--max-semi-space-size=4", "--import", "tsx"];
  return spawnSync(process.execPath, [...words, script, folder], { cwd: builder, encoding: "utf8" });
}

// One tree of 100,000 entries has to live in memory while the builder stays below 300 MiB in all.
test("100,000 entries with labels are listed and placed within 80 MiB", { timeout: 600_000 }, () => {
  const { status, stdout } = runWithin(
    80,
    `import { scanLayers } from ${JSON.stringify(`${builder}inputs/image/scan-layers.ts`)};
import { placedNodes } from ${JSON.stringify(`${builder}inputs/image/tree-nodes.ts`)};
import { endOfTar, paddingOf, tarHeaderBlocks } from ${JSON.stringify(`${builder}inputs/tar/write-tar.ts`)};
const entry = (path, type, content = "") => Buffer.concat([
  tarHeaderBlocks({ path, linkTarget: "", type, mode: 0o644, uid: 0, gid: 0, modifiedAt: 1.6e9, major: 0, minor: 0, acls: {},
    xattrs: new Map([["security.selinux", "system_u:object_r:lib_t:s0\\0"]]), sizeBytes: content.length, storedBytes: content.length }, 0),
  Buffer.from(content), paddingOf(content.length)]);
async function* tar() {
  for (let folder = 0; folder < 9091; folder++) {
    const at = "./usr/share/package-number-" + folder + "/";
    const all = [entry(at, "folder")];
    for (let file = 0; file < 10; file++) all.push(entry(at + "some_module_" + file + ".cpython-311.pyc", "file", at + file));
    yield Buffer.concat(all);
  }
  yield endOfTar(0);
}
const tree = await scanLayers([{ name: "tar", mayLackEnd: false, open: tar }], { whiteouts: false });
console.log(placedNodes(tree).length);`,
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: "100003\n" });
});

test("a listing of 100,000 entries is written and read again within 64 MiB", { timeout: 600_000 }, () => {
  const { status, stdout } = runWithin(
    64,
    `import { ListingCache } from ${JSON.stringify(`${builder}inputs/disk/listing-cache.ts`)};
const cache = new ListingCache(process.argv[2], console.log);
{
  const entries = Array.from({ length: 100_000 }, (_, index) => ({ path: "usr/share/package/some_module_" + index, type: "file",
    sizeBytes: index, allocatedBytes: 4096, modifiedAt: 1.6e9, inode: "254:" + index, links: 1, linkTarget: "" }));
  await cache.keep("disk", { choice: { osName: "", mounts: [], ignored: [] }, entries });
}
const { entries } = await cache.find("disk");
console.log(entries.length, entries[99_999].path);`,
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: "100000 usr/share/package/some_module_99999\n" });
});
