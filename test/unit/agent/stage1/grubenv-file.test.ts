import { execFileSync } from "node:child_process";
import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { armGrubenv, disarmGrubenv, isGrubenvArmed } from "../../../../agent/stage1/boot/grubenv-file.ts";

function makeGrubenv(): string {
  const path = join(mkdtempSync(join(tmpdir(), "grubenv-")), "grubenv");
  execFileSync("grub-editenv", [path, "create"]);
  execFileSync("grub-editenv", [path, "set", "saved_entry=CentOS Linux (3.10.0) 7 (Core)", "boot_success=1"]);
  return path;
}

const list = (path: string): string => execFileSync("grub-editenv", [path, "list"], { encoding: "utf8" });

test("arming and disarming keep the file's place, size and other values", async () => {
  const path = makeGrubenv();
  const before = list(path);
  const { ino } = statSync(path);
  await armGrubenv(path);
  expect(list(path)).toBe(
    "saved_entry=CentOS Linux (3.10.0) 7 (Core)\nboot_success=1\nnext_entry=dualroot-convert\ndualroot_armed=1\n",
  );
  expect(await isGrubenvArmed(path)).toBe(true);
  expect(statSync(path)).toMatchObject({ ino, size: 1024 });
  await disarmGrubenv(path);
  expect(list(path)).toBe(before);
  expect(statSync(path).ino).toBe(ino);
});

test("what GRUB leaves after the one boot counts as disarmed, and is cleaned up", async () => {
  const path = makeGrubenv();
  await armGrubenv(path);
  execFileSync("grub-editenv", [path, "set", "next_entry=", "dualroot_armed=0"]);
  expect(await isGrubenvArmed(path)).toBe(false);
  await disarmGrubenv(path);
  expect(list(path)).toBe("saved_entry=CentOS Linux (3.10.0) 7 (Core)\nboot_success=1\n");
});

test("a next_entry of somebody else is not taken back", async () => {
  const path = makeGrubenv();
  execFileSync("grub-editenv", [path, "set", "next_entry=memtest", "dualroot_armed=0"]);
  await disarmGrubenv(path);
  expect(list(path)).toContain("next_entry=memtest\n");
});

test("a missing grubenv is made, a damaged one of the right size made anew, one of another size refused", async () => {
  const path = makeGrubenv();
  const missing = `${path}.missing`;
  await armGrubenv(missing);
  expect(list(missing)).toBe("next_entry=dualroot-convert\ndualroot_armed=1\n");
  writeFileSync(path, Buffer.alloc(1024));
  await armGrubenv(path);
  expect(await isGrubenvArmed(path)).toBe(true);
  writeFileSync(path, Buffer.alloc(1025, "#"));
  await expect(armGrubenv(path)).rejects.toThrow("not a GRUB environment block");
  expect(statSync(path).size).toBe(1025);
});
