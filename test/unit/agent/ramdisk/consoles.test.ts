import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { openConsoles } from "../../../../agent/ramdisk/consoles.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-console-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a full line loses nothing while it is only slow, and a missing console does not matter", async () => {
  const path = join(folder, "slow");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openConsoles(["no-such-console", relative("/dev", path)]);
  // A pipe holds 64 KiB: the last lines must wait for the reader.
  const lines = Array.from({ length: 100 }, (_, number) => `${number}`.padStart(1000, "."));
  for (const line of lines) write(line);
  let text = "";
  for (let turn = 0; turn < 20 && !text.includes(lines.at(-1)!); turn += 1) {
    const buffer = Buffer.alloc(256 * 1024);
    try {
      text += buffer.toString("latin1", 0, readSync(reader, buffer));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
    }
    await sleep(100);
  }
  expect(text).toBe(lines.map((line) => `${line}\r\n`).join(""));
  closeSync(reader);
});

test("a console that hangs up stops nobody", () => {
  const path = join(folder, "gone");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openConsoles([relative("/dev", path)]);
  closeSync(reader);
  expect(() => {
    write("one");
    write("two");
  }).not.toThrow();
});
