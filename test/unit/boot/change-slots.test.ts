import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { changeSlots } from "../../../agent/boot/change-slots.ts";
import { createRun } from "../../../agent/system/run.ts";
import { withFileLock } from "../../../agent/system/file-lock.ts";
import { silent } from "../../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../../format/grubenv.ts";

const run = createRun(silent);
let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "grubenv-")), "grubenv");
});

const set = new Map([
  ["ORDER", "B A"],
  ["B_OK", "1"],
]);
const fallback = new Map([["A_OK", "1"]]);
const read = (): Record<string, string> => Object.fromEntries(decodeGrubenv(readFileSync(path)) ?? []);

test("what is not set stays, unknown words too, in the same 1024 bytes of the same file", async () => {
  writeFileSync(
    path,
    encodeGrubenv(
      new Map([
        ["A_TRY", "2"],
        ["custom", "a\\b"],
        ["ORDER", "A B"],
      ]),
    ),
  );
  const before = statSync(path).ino;
  expect(await changeSlots({ path, set, fallback }, run)).toEqual({ repaired: false });
  expect(read()).toEqual({ A_TRY: "2", custom: "a\\b", ORDER: "B A", B_OK: "1" });
  expect(statSync(path)).toMatchObject({ ino: before, size: 1024 });
});

test.each([
  ["missing", undefined],
  ["empty", Buffer.alloc(0)],
  ["short", Buffer.from("# GRUB Environment Block\nORDER=A B\n")],
  ["long", Buffer.concat([encodeGrubenv(new Map()), Buffer.from("#")])],
  ["zeros", Buffer.alloc(1024)],
])("a block that is %s is made anew from what is known", async (_, bytes) => {
  if (bytes) writeFileSync(path, bytes);
  expect(await changeSlots({ path, set, fallback }, run)).toEqual({ repaired: true });
  expect(read()).toEqual({ A_OK: "1", ORDER: "B A", B_OK: "1" });
  expect(statSync(path).size).toBe(1024);
});

test("two writers at once lose nothing", async () => {
  writeFileSync(path, encodeGrubenv(new Map()));
  const one = (name: string): Promise<unknown> =>
    changeSlots({ path, set: new Map([[name, "1"]]), fallback }, run);
  await Promise.all(["a", "b", "c", "d", "e"].map((name) => one(name)));
  expect(Object.keys(read()).sort()).toEqual(["a", "b", "c", "d", "e"]);
});

test("the lock keeps another program's flock waiting", async () => {
  writeFileSync(path, "");
  const order: string[] = [];
  let other: Promise<unknown> = Promise.resolve();
  await withFileLock(path, run, async () => {
    other = run("flock", [path, "true"]).then(() => order.push("other"));
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    order.push("mine");
  });
  await other;
  expect(order).toEqual(["mine", "other"]);
});
