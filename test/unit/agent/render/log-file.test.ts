import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createJsonLines } from "../../../../agent/render/json-lines.ts";
import { createLogFile } from "../../../../agent/render/log-file.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("every event but progress becomes a stamped line, readable by its owner only", () => {
  const path = join(folder, "log");
  const log = createLogFile(path, () => 1.5);
  log({ kind: "started", step: "a", title: "A", number: 1, of: 2 });
  log({ kind: "detail", message: "$ sgdisk\nline two" });
  log({ kind: "progress", step: "a", done: 1, total: 2 });
  log({ kind: "failed", step: "a", title: "A", message: "no" });
  expect(readFileSync(path, "utf8")).toBe(
    "    1.500 == 1/2 A\n    1.500 $ sgdisk\n    1.500 line two\n    1.500 == A: FAILED: no\n",
  );
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("it stops growing at 8 MiB and says so, also when it is opened again", () => {
  const path = join(folder, "big");
  for (let round = 0; round < 2; round += 1) {
    const log = createLogFile(path);
    for (let line = 0; line < 12; line += 1) log({ kind: "detail", message: "x".repeat(1024 * 1024) });
  }
  expect(statSync(path).size).toBeLessThan(8.1 * 1024 * 1024);
  expect(readFileSync(path, "utf8")).toMatch(/The log is full\.\n$/);
});

test("JSON lines are one event each", () => {
  const lines: string[] = [];
  createJsonLines((line) => lines.push(line))({ kind: "note", level: "info", message: "a\nb" });
  expect(lines).toEqual(['{"kind":"note","level":"info","message":"a\\nb"}']);
});
