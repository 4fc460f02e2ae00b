import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareFiles, type ExpectedFile } from "../../../../agent/steps/compare-files.ts";
import { bundleAgent } from "../../../../builder/ramdisk/bundle-agent.ts";
import { sha256Hex } from "../../../../format/digest.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-compare-"));
const agentFile = join(folder, "agent.mjs");
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => writeFileSync(agentFile, await bundleAgent()));

/** Names of bytes that are no UTF-8, empty files, and one larger than a thread reads at once. */
function makeFiles(count: number): ExpectedFile[] {
  return Array.from({ length: count }, (_, number) => {
    const name = Buffer.concat([Buffer.from(`${folder}/${count}-${number}-`), Buffer.from([0xff, 0xe4])]);
    const content = number === 7 ? Buffer.alloc(3_000_001, "x") : Buffer.from("y".repeat(number % 5));
    writeFileSync(name, content);
    return { path: name.toString("latin1"), sha256: sha256Hex(content) };
  });
}

test.each([1, 2, 4])("%d threads find every file that differs or is gone, and no other", async (threads) => {
  const files = makeFiles(600 + threads);
  const wrong = { ...files[300]!, sha256: sha256Hex("something else") };
  const gone = { path: `${folder}/gone`, sha256: sha256Hex("") };
  const all = [...files.slice(0, 300), wrong, ...files.slice(301), gone];
  const found = await compareFiles(all, { threads, agentFile, onProgress: () => {} });
  expect(found).toEqual([300, all.length - 1]);
});

test("a thread that cannot start stops it: nobody would know what was read", async () => {
  const files = makeFiles(10);
  const broken = join(folder, "broken.mjs");
  writeFileSync(broken, "process.exit(3);\n");
  await expect(compareFiles(files, { threads: 2, agentFile: broken, onProgress: () => {} })).rejects.toThrow(
    "ended with code 3",
  );
});

test("a thread that dies while the first one reads on ends nothing but the comparison", async () => {
  const broken = join(folder, "broken-early.mjs");
  writeFileSync(broken, "process.exit(3);\n");
  const slow = join(folder, "slow");
  execFileSync("mkfifo", [slow]);
  // Lasts as long as the thread may take to die.
  spawn("sh", ["-c", 'exec >"$1"; sleep 1', "sh", slow], { stdio: "ignore" });
  const files = [{ path: slow, sha256: sha256Hex("") }, ...makeFiles(10)];
  let turns = 0;
  const onProgress = (): void => void (turns += 1);
  // An unhandled rejection makes the whole run of tests fail.
  const comparing = compareFiles(files, { threads: 2, agentFile: broken, onProgress });
  await expect(comparing).rejects.toThrow("ended with code 3");
  expect(turns).toBeGreaterThan(0);
});
