import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeGrubenv, encodeGrubenv, grubenvBytes } from "../../../format/grubenv.ts";

const ours = "rootfs-overlay/usr/lib/dualroot/grub-editenv";
const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"]];
let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "grub-editenv-"));
  file = join(folder, "grubenv");
});
afterAll(() => rmSync(folder, { recursive: true }));

function edit(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("sh", [ours, file, ...args], { encoding: "utf8" });
}
const slots = new Map([
  ["ORDER", "A B"],
  ["A_OK", "1"],
  ["A_TRY", "2"],
  ["B_OK", "0"],
  ["B_TRY", "0"],
]);

describe.each(shells)("in %s", (...shell) => {
  test("list, set and unset do what the real one does", () => {
    const theirs = join(folder, "theirs");
    for (const path of [file, theirs]) writeFileSync(path, encodeGrubenv(slots));
    for (const args of [
      ["set", "A_TRY=0", "A_OK=1", "note=a b\\c=d"],
      ["unset", "B_TRY", "absent"],
      ["set", "n=x\ny"],
    ]) {
      execFileSync(shell[0]!, [...shell.slice(1), ours, file, ...args]);
      execFileSync("grub-editenv", [theirs, ...args]);
    }
    const list = execFileSync(shell[0]!, [...shell.slice(1), ours, file, "list"], { encoding: "utf8" });
    expect(list).toBe(execFileSync("grub-editenv", [theirs, "list"], { encoding: "utf8" }));
    expect(list).toContain("note=a b\\c=d\n");
    expect(decodeGrubenv(readFileSync(file))).toEqual(decodeGrubenv(readFileSync(theirs)));
  });
});

test("keeps any values, as the real one reads them", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/);
  const value = fc.string({
    unit: fc.constantFrom("a", " ", "=", "#", "\\", "\n", "'", '"', "$", "%", "é"),
    maxLength: 10,
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 5, selector: ([key]) => key }),
      (entries) => {
        writeFileSync(file, encodeGrubenv(slots));
        edit("set", ...entries.map(([key, text]) => `${key}=${text}`));
        expect(decodeGrubenv(readFileSync(file))).toEqual(new Map([...slots, ...entries]));
      },
    ),
    { numRuns: 25 },
  );
});

test("overwrites the file where it lies: never truncated, replaced or moved, and synced", () => {
  writeFileSync(file, encodeGrubenv(slots));
  const before = statSync(file).ino;
  const trace = join(folder, "trace");
  execFileSync("strace", [
    "-f",
    "-o",
    trace,
    "-e",
    "trace=open,openat,creat,truncate,ftruncate,rename,renameat,renameat2,unlink,write,pwrite64,fsync,fdatasync",
    "sh",
    ours,
    file,
    "set",
    "A_TRY=0",
  ]);
  const calls = readFileSync(trace, "utf8").split("\n");
  const onFile = calls.filter((line) => line.includes(`"${file}"`));
  expect(onFile.length).toBeGreaterThan(0);
  expect(onFile.filter((line) => /O_TRUNC|rename|unlink|truncate|creat\(/.test(line))).toEqual([]);
  const writes = calls.flatMap((line, index) =>
    /write.*"# GRUB Environment/.test(line) && line.endsWith("= 1024") ? [index] : [],
  );
  const syncs = calls.flatMap((line, index) => (/f(data)?sync\(.*= 0/.test(line) ? [index] : []));
  expect(syncs.at(-1)).toBeGreaterThan(writes.at(-1)!);
  expect(statSync(file)).toMatchObject({ ino: before, size: grubenvBytes });
});

describe("refuses, and changes nothing", () => {
  test.each([
    ["a missing file", undefined, ["set", "a=1"], "does not exist"],
    ["an empty file", Buffer.alloc(0), ["set", "a=1"], "has 0 bytes"],
    [
      "one byte more",
      Buffer.concat([encodeGrubenv(slots), Buffer.from("\n")]),
      ["set", "a=1"],
      "has 1025 bytes",
    ],
    ["a file without header", Buffer.alloc(1024, "#"), ["list"], "not a GRUB environment block"],
    [
      "zero bytes inside",
      Buffer.concat([encodeGrubenv(slots).subarray(0, 1000), Buffer.alloc(24)]),
      ["list"],
      "damaged",
    ],
    ["too long a value", encodeGrubenv(slots), ["set", `a=${"x".repeat(1000)}`], "too small"],
    ["a bad name", encodeGrubenv(slots), ["set", "a b=1"], "is not a name"],
    ["a word without =", encodeGrubenv(slots), ["set", "A_OK"], "is not NAME=VALUE"],
    ["an unknown command", encodeGrubenv(slots), ["frob"], "Usage"],
  ])("%s", (_, content, args, message) => {
    rmSync(file, { force: true });
    if (content) writeFileSync(file, content);
    const { status, stderr } = edit(...args);
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
    expect(content && readFileSync(file).equals(content)).toBe(content && true);
  });
});

test.each([[undefined], [0], [1025], [300]])("create makes a good block out of %s bytes", (size) => {
  rmSync(file, { force: true });
  if (size !== undefined) writeFileSync(file, Buffer.alloc(size, 0xa5));
  expect(edit("create").status).toBe(0);
  expect(decodeGrubenv(readFileSync(file))).toEqual(new Map());
  execFileSync("grub-editenv", [file, "set", "A_OK=1"]);
  expect(edit("list").stdout).toBe("A_OK=1\n");
});
