import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCounterFloor } from "../../../../agent/slot/read-counter-floor.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dualroot-floor-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function record(slot: "A" | "B", counter: number, committed?: string): void {
  mkdirSync(join(folder, "slots"), { recursive: true });
  const value = {
    ...{ format: 1, slot, name: "demo", version: "1", compatible: "demo", counter, oldSystem: false },
    ...{ installedBy: "upgrade", installed: "2026-11-20T10:00:00Z", committed },
  };
  writeFileSync(join(folder, `slots/${slot}.json`), JSON.stringify(value));
}

const floorOf = async (content: string | Buffer): Promise<number | undefined> => {
  writeFileSync(join(folder, "counter"), content);
  return readCounterFloor(folder);
};

test("the gate's number, and nothing where none was written", async () => {
  expect(await readCounterFloor(folder)).toBeUndefined();
  expect(await readCounterFloor(join(folder, "missing"))).toBeUndefined();
  expect(await floorOf("0\n")).toBe(0);
  expect(await floorOf("17\n")).toBe(17);
  expect(await floorOf("9007199254740991\n")).toBe(Number.MAX_SAFE_INTEGER);
});

test("what is no such number counts for nothing", async () => {
  for (const content of [
    "",
    "\n",
    "-1\n",
    "1.5\n",
    "0x10\n",
    " 7\n",
    "7\n7\n",
    "9007199254740992\n",
    "9".repeat(40),
  ])
    expect(await floorOf(content), JSON.stringify(content)).toBeUndefined();
  expect(await floorOf(Buffer.alloc(2))).toBeUndefined();
});

test("slots that were committed keep the floor when the number is lost", async () => {
  record("A", 5, "2026-11-20T11:00:00Z");
  record("B", 8);
  expect(await floorOf("")).toBe(5);
  expect(await floorOf("7\n")).toBe(7);
  // A permitted release below the floor.
  record("B", 3, "2026-11-20T12:00:00Z");
  expect(await floorOf("7\n")).toBe(7);
  writeFileSync(join(folder, "slots/A.json"), "{");
  expect(await floorOf("")).toBe(3);
});
