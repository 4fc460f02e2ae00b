import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const system = fileURLToPath(new URL("../../../../builder/system/", import.meta.url));

/** Runs a program of these lines, which interrupts itself, in a new folder that it gets as `top`. */
function interrupted(lines: string): { status: number | null; left: string[] } {
  const top = mkdtempSync(join(tmpdir(), "dualroot-interrupt-"));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  const script = join(top, "script.mts");
  writeFileSync(
    script,
    `import { mkdirSync, writeFileSync } from "node:fs";
import { removeOnInterrupt } from ${JSON.stringify(`${system}remove-on-interrupt.ts`)};
import { ContentCache } from ${JSON.stringify(`${system}content-cache.ts`)};
const top = ${JSON.stringify(top)};
${lines}
process.kill(process.pid, "SIGINT");
setTimeout(() => process.exit(1), 10_000);`,
  );
  const { status } = spawnSync(process.execPath, ["--import", "tsx", script], { cwd: system });
  return { status, left: readdirSync(top).filter((name) => name !== "script.mts") };
}

test("Ctrl-C removes what was watched, also when it comes a second time meanwhile", () => {
  expect(
    interrupted(`mkdirSync(top + "/folder"); writeFileSync(top + "/folder/file", "");
removeOnInterrupt(() => { process.kill(process.pid, "SIGINT"); return top + "/folder"; });`),
  ).toEqual({ status: 130, left: [] });
});

test("a folder into which tools still write is removed again, until they end", () => {
  expect(
    interrupted(`import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const { rmSync } = fs;
let times = 0;
fs.rmSync = (...words) => {
  if (++times <= 3) throw Object.assign(new Error("a tool has made a file"), { code: "ENOTEMPTY" });
  rmSync(...words);
};
syncBuiltinESMExports();
mkdirSync(top + "/folder");
removeOnInterrupt(() => top + "/folder");`),
  ).toEqual({ status: 130, left: [] });
});

test("Ctrl-C removes what was to become an entry of the cache, and nothing that is one", () => {
  const { status, left } = interrupted(`const cache = new ContentCache(top, 1e9);
const [kept] = [await cache.create("kept"), await cache.create("half")];
await kept.keep();
removeOnInterrupt(() => undefined);`);
  expect({ status, left }).toEqual({ status: 130, left: ["kept"] });
});
