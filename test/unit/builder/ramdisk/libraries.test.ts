import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { readElf } from "../../../../builder/ramdisk/elf.ts";
import { libraryClosure, readElfFile } from "../../../../builder/ramdisk/libraries.ts";

const folders = ["/usr/sbin", "/usr/bin"];
const tools = ["lvm", "mkfs.xfs", "tar", "xz", "lsblk", "kexec", "sgdisk", "busybox", "node", "strip"];

function find(tool: string): string {
  return folders.map((folder) => join(folder, tool)).find((path) => existsSync(path))!;
}

/** name -> file, as the real dynamic linker resolves it. */
function lddSays(path: string): Map<string, string> {
  const lines = execFileSync("ldd", [path], { env: { LC_ALL: "C", PATH: process.env["PATH"] } })
    .toString()
    .split("\n");
  const pairs = lines.flatMap((line) => {
    const match = /^\s*(\S+) => (\/\S+) \(/.exec(line);
    return match ? [[match[1]!, realpathSync(match[2]!)] as const] : [];
  });
  return new Map(pairs);
}

test.each(tools)(
  "the libraries of %s are those ldd finds, and libgcc_s, which glibc opens by itself",
  (tool) => {
    const path = find(tool);
    const expected = lddSays(path);
    expected.set("libgcc_s.so.1", realpathSync("/lib/x86_64-linux-gnu/libgcc_s.so.1"));
    const { libraries, interpreter } = libraryClosure([path]);
    expect(Object.fromEntries(libraries.map(({ name, path }) => [name, path]))).toEqual(
      Object.fromEntries(expected),
    );
    expect(basename(interpreter)).toBe("ld-linux-x86-64.so.2");
  },
);

test("a script, a text and a kernel-less file are no ELF programs", () => {
  expect(readElfFile("/etc/passwd")).toBeUndefined();
  expect(readElfFile("/dev/null")).toBeUndefined();
});

/** A made ELF file: one PT_LOAD over everything, and the given segments. */
function elf(
  segments: { type: number; offset: number; size: number }[],
  body: Buffer,
): (offset: number, length: number) => Buffer {
  const all = [{ type: 1, offset: 0, size: 4096 }, ...segments];
  const file = Buffer.alloc(4096);
  file.writeUInt32BE(0x7f454c46, 0);
  file[4] = 2;
  file[5] = 1;
  file.writeUInt16LE(62, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(all.length, 56);
  for (const [index, segment] of all.entries()) {
    const at = 64 + index * 56;
    file.writeUInt32LE(segment.type, at);
    file.writeBigUInt64LE(BigInt(segment.offset), at + 8);
    file.writeBigUInt64LE(BigInt(segment.offset), at + 16);
    file.writeBigUInt64LE(BigInt(segment.size), at + 32);
  }
  body.copy(file, 1024);
  return (offset, length) => file.subarray(offset, Math.min(file.length, offset + length));
}

test("run paths and dlopen notes are read", () => {
  const strings = Buffer.from("\0libx.so.1\0$ORIGIN/../lib:/opt/lib\0");
  const dynamic = Buffer.alloc(16 * 5);
  const pairs: [number, number][] = [
    [1, 1],
    [29, 11],
    [5, 1024],
    [10, strings.length],
    [0, 0],
  ];
  for (const [index, [tag, value]] of pairs.entries()) {
    dynamic.writeBigUInt64LE(BigInt(tag), index * 16);
    dynamic.writeBigUInt64LE(BigInt(value), index * 16 + 8);
  }
  const json = Buffer.from('[{"feature":"zip","soname":["libz.so.1","libz-ng.so.2"]}]\0');
  const note = Buffer.alloc(16 + json.length);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(json.length, 4);
  note.writeUInt32LE(0x407c0c0a, 8);
  note.write("FDO\0", 12);
  json.copy(note, 16);
  const body = Buffer.alloc(1024);
  strings.copy(body, 0);
  dynamic.copy(body, 256);
  note.copy(body, 512);
  const facts = readElf(
    elf(
      [
        { type: 2, offset: 1280, size: dynamic.length },
        { type: 4, offset: 1536, size: note.length },
      ],
      body,
    ),
  );
  expect(facts).toEqual({
    needed: ["libx.so.1"],
    runPaths: ["$ORIGIN/../lib", "/opt/lib"],
    opened: ["libz.so.1", "libz-ng.so.2"],
  });
});

test("broken headers are errors, never endless reads", () => {
  const read = elf([{ type: 2, offset: 1024, size: 2 ** 40 }], Buffer.alloc(0));
  expect(() => readElf(read)).toThrow("too large");
  const head = Buffer.from(read(0, 4096));
  head.writeUInt16LE(60_000, 56);
  expect(() => readElf((offset, length) => head.subarray(offset, offset + length))).toThrow("broken");
});
