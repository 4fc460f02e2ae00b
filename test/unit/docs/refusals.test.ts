import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { refusalCodes } from "../../../format/refusal-codes.ts";

const top = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(`${top}docs/refusals.md`, "utf8");
const documented = Array.from(page.matchAll(/^\| `([a-z0-9-]+)` \|/gm), ([, code]) => code!);
const sources = ["agent", "builder", "format", "rootfs-overlay/usr/sbin"].flatMap((folder) =>
  readdirSync(`${top}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(ts|template)$/.test(path) || folder.startsWith("rootfs-overlay"))
    .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(`${top}${folder}/${path}`, "utf8") })),
);

/** `custom` is zod's own word in its issues, not a code of ours. */
const notOurs = ["custom"];

function codesIn({ path, text }: { path: string; text: string }): string[] {
  if (path === "format/refusal-codes.ts") return [];
  const patterns = !path.endsWith(".ts")
    ? [/\b(?:stop|refuse) \d+ ([a-z0-9-]+) "/g]
    : [
        /\bcode: (?:[\w.]+(?: === \d+)? \? )?"([a-z0-9-]+)"(?: : "([a-z0-9-]+)")?/g,
        /\brefuse\(\s*"([a-z0-9-]+)"/g,
      ];
  return patterns
    .flatMap((pattern) => Array.from(text.matchAll(pattern), ([, ...codes]) => codes))
    .flat()
    .filter((code) => code !== undefined);
}

test("every code in the source is explained in docs/refusals.md", () => {
  const used = sources.flatMap((source) => codesIn(source).map((code) => ({ code, path: source.path })));
  expect(used.length).toBeGreaterThan(80);
  expect(used.filter(({ code }) => !documented.includes(code) && !notOurs.includes(code))).toEqual([]);
  expect(refusalCodes.filter((code) => !documented.includes(code))).toEqual([]);
});

test("every code in docs/refusals.md is one of the source, and stands there once", () => {
  const everything = sources.filter(({ path }) => path !== "format/refusal-codes.ts").map(({ text }) => text);
  const isUsed = (code: string): boolean =>
    everything.some((text) => text.includes(`"${code}"`) || text.includes(` ${code} "`));
  expect(documented.filter((code) => !isUsed(code))).toEqual([]);
  expect(documented.filter((code, index) => documented.indexOf(code) !== index)).toEqual([]);
});
