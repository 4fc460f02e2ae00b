import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cpioArchive, type CpioEntry } from "../../../../builder/ramdisk/cpio.ts";
import { sha256Hex } from "../../../../format/digest.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-cpio-"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

/** 2023-11-14T22:13:20Z. */
const modifiedAt = 1_700_000_000;
const small: CpioEntry[] = [
  { type: "symlink", path: "bin", target: "usr/bin" },
  {
    type: "file",
    path: "usr/bin/hello",
    mode: 0o755,
    source: { bytes: Buffer.from("#!/bin/sh\necho hello\n") },
  },
  { type: "directory", path: "usr/bin", mode: 0o755 },
  { type: "directory", path: "usr", mode: 0o755 },
  { type: "file", path: "empty", mode: 0o600, source: { bytes: Buffer.alloc(0) } },
  { type: "character-device", path: "console", mode: 0o600, major: 5, minor: 1 },
];

async function archive(entries: readonly CpioEntry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of cpioArchive(entries, modifiedAt)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function cpio(args: string[], input: Buffer): string {
  return execFileSync("cpio", ["--quiet", ...args], {
    cwd: scratch,
    input,
    env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
  }).toString();
}

test("the archive is the golden one, byte by byte", async () => {
  const golden = readFileSync(new URL("../../../golden/ramdisk/small.cpio", import.meta.url));
  expect((await archive(small)).toString("latin1")).toBe(golden.toString("latin1"));
});

test("the order in which entries are given does not matter", async () => {
  expect(await archive(small.toReversed())).toEqual(await archive(small));
});

test("cpio -itv lists types, modes, owners, times and devices", async () => {
  const lines = cpio(["-itv", "--numeric-uid-gid"], await archive(small))
    .trim()
    .split("\n");
  expect(lines.map((line) => line.replace(/ +/g, " "))).toEqual([
    "lrwxrwxrwx 1 0 0 7 Nov 14 2023 bin -> usr/bin",
    "crw------- 1 0 0 5, 1 Nov 14 2023 console",
    "-rw------- 1 0 0 0 Nov 14 2023 empty",
    "drwxr-xr-x 2 0 0 0 Nov 14 2023 usr",
    "drwxr-xr-x 2 0 0 0 Nov 14 2023 usr/bin",
    "-rwxr-xr-x 1 0 0 21 Nov 14 2023 usr/bin/hello",
  ]);
});

test("cpio -i restores contents of every length around the padding, of names too, and of a streamed file", async () => {
  const large = Buffer.alloc(9 * 1024 * 1024 + 1, "dualroot ");
  const from = join(scratch, "large.source");
  writeFileSync(from, large);
  const lengths = [0, 1, 2, 3, 4, 5, 6, 7];
  const files = lengths.map((length): CpioEntry => ({
    type: "file",
    path: `${"n".repeat(length + 1)} ü\n`,
    mode: 0o644,
    source: { bytes: Buffer.alloc(length, "x") },
  }));
  const entries: CpioEntry[] = [
    ...files,
    { type: "file", path: "large", mode: 0o644, source: { path: from, size: large.length } },
    { type: "symlink", path: "link", target: "large" },
  ];
  cpio(["-idm"], await archive(entries));
  for (const length of lengths)
    expect(readFileSync(join(scratch, `${"n".repeat(length + 1)} ü\n`), "utf8")).toBe("x".repeat(length));
  expect(sha256Hex(readFileSync(join(scratch, "large")))).toBe(sha256Hex(large));
  expect(lstatSync(join(scratch, "large")).mtimeMs).toBe(modifiedAt * 1000);
  expect(readlinkSync(join(scratch, "link"))).toBe("large");
});

test("inode numbers are counted from 1, so that nothing looks like a hard link", async () => {
  const text = (await archive(small)).toString("latin1");
  const inodes = [...text.matchAll(/070701([0-9a-f]{8})/g)].map((match) => Number.parseInt(match[1]!, 16));
  expect(inodes).toEqual([1, 2, 3, 4, 5, 6, 0]);
});

test.each(["/etc/passwd", "../outside", "a/../b", ""])("the path %j is refused", async (path) => {
  await expect(archive([{ type: "directory", path, mode: 0o755 }])).rejects.toThrow("no path for a ramdisk");
});

test("one path twice is refused", async () => {
  await expect(archive([...small, small[0]!])).rejects.toThrow("bin is twice in the ramdisk");
});

test("a file that changes its size while it is read is refused", async () => {
  const from = join(scratch, "source");
  writeFileSync(from, "12345");
  const entry: CpioEntry = { type: "file", path: "file", mode: 0o644, source: { path: from, size: 4 } };
  await expect(archive([entry])).rejects.toThrow("4 bytes became 5");
});
