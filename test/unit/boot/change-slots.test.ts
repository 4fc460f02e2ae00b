import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { changeSlots } from "../../../agent/boot/change-slots.ts";
import { createRun, type Run } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../../format/grubenv.ts";

const run = createRun(silent);
const overlayEditor = "rootfs-overlay/usr/lib/dualroot/grub-editenv";
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

test("a slot's own grub-editenv waits until the change is read back, and loses nothing of it", async () => {
  writeFileSync(path, encodeGrubenv(new Map()));
  const order: string[] = [];
  let editor: Promise<unknown> = Promise.resolve();
  const editing: Run = async (command, args, options) => {
    // In the middle: the agent has written, and not yet read back.
    if (command === "dd") {
      editor = run("sh", [overlayEditor, path, "set", "A_TRY=0"]).then(() => order.push("grub-editenv"));
      await setTimeout(300);
      order.push("agent");
    }
    return run(command, args, options);
  };
  await changeSlots({ path, set, fallback }, editing);
  await editor;
  expect(order).toEqual(["agent", "grub-editenv"]);
  expect(read()).toEqual({ ORDER: "B A", B_OK: "1", A_TRY: "0" });
});

test("a change waits for whoever holds the folder, and starts from what that one wrote", async () => {
  writeFileSync(path, encodeGrubenv(new Map([["A_TRY", "1"]])));
  // Reads, thinks, and writes what it has read: without the same lock the agent's change would be lost.
  const script = `
    cp "$1" "$1.mine" && DUALROOT_GRUBENV_LOCKED=1 sh "$2" "$1.mine" set A_TRY=0 && touch "$1.held"
    sleep 0.3
    dd if="$1.mine" of="$1" conv=notrunc status=none`;
  const holder = run("flock", [dirname(path), "sh", "-c", script, "sh", path, overlayEditor]);
  while (!existsSync(`${path}.held`)) await setTimeout(5);
  await changeSlots({ path, set, fallback }, run);
  await holder;
  expect(read()).toEqual({ A_TRY: "0", ORDER: "B A", B_OK: "1" });
});
