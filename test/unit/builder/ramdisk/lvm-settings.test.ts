import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("LVM knows every setting that the ramdisk gives it, at its place", () => {
  const folder = fileURLToPath(new URL("../../../../builder/ramdisk/skeleton/etc/lvm", import.meta.url));
  const { status, stdout, stderr } = spawnSync("lvmconfig", ["--validate"], {
    encoding: "utf8",
    env: { ...process.env, LVM_SYSTEM_DIR: folder, LVM_SUPPRESS_FD_WARNINGS: "1" },
  });
  expect([status, stdout.trim(), stderr]).toEqual([0, "LVM configuration valid.", ""]);
});
