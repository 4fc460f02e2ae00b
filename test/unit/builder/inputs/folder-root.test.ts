import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folderRoot } from "../../../../builder/inputs/folder-root.ts";
import { silent } from "../../../../format/events.ts";

async function archiveOf(script: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-folder-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync("bash", ["--norc", "-euc", script], { cwd: folder });
  const source = await folderRoot(folder);
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.archive(source.entries, {
    sourceDateEpoch: 1_600_000_000,
    report: silent,
  }))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

// Filesystems list attributes in the order they were set, or by where there was room.
test.runIf(process.getuid?.() === 0)(
  "a folder's bytes do not depend on the order in which attributes were set",
  async () => {
    const script = (names: string) =>
      `printf x >file; for name in ${names}; do setfattr -n user.$name -v "value of $name" file; done`;
    const [one, two] = [await archiveOf(script("a b c")), await archiveOf(script("c a b"))];
    expect(one.includes("SCHILY.xattr.user.c=value of c\n")).toBe(true);
    expect(one.equals(two)).toBe(true);
  },
);
