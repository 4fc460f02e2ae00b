import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addGrubEntry,
  hasGrubEntry,
  removeGrubEntry,
  renderGrubEntry,
} from "../../../../agent/stage1/boot/grub-entry.ts";
import { consoleWords, ramdiskCommandLine } from "../../../../agent/stage1/boot/command-line.ts";

const commandLine = ramdiskCommandLine({
  filesystemUuid: "b7a9a2ac-9d3e-4b5f-8f0e-0d1f2a3b4c5d",
  stashPath: "/var/lib/dualroot/stash",
  stashSha256: "0".repeat(64),
  consoles: ["console=tty0", "console=ttyS0,115200n8"],
  rehearse: false,
});
const entry = renderGrubEntry({
  filesystemUuid: "1c9f3b52-0f6f-4d5e-9a57-3f2b7f1f6a11",
  filesystemType: "xfs",
  tableType: "dos",
  folder: "/dualroot",
  commandLine,
});

test("the entry disarms itself before it loads anything", async () => {
  await expect(entry).toMatchFileSnapshot("../../../golden/stage1/grub-entry.cfg");
  const order = ["load_env", "set dualroot_armed=0", "if save_env dualroot_armed", "linux ", "initrd "];
  const places = order.map((words) => entry.indexOf(words));
  expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true);
});

test("GRUB's own parser takes the entry, odd words included", () => {
  const folder = mkdtempSync(join(tmpdir(), "grub-entry-"));
  const path = join(folder, "custom.cfg");
  const odd = renderGrubEntry({
    filesystemUuid: "1c9f3b52-0f6f-4d5e-9a57-3f2b7f1f6a11",
    filesystemType: "ext4",
    tableType: "gpt",
    folder: "/boot/dualroot",
    commandLine: `${commandLine} console=ttyS0,115200 it's;$x`,
  });
  writeFileSync(path, addGrubEntry("set color_normal=white/black\n", entry + odd));
  execFileSync("grub-script-check", [path]);
  writeFileSync(path, entry.replace("    fi\n", ""));
  expect(() => execFileSync("grub-script-check", [path], { stdio: "pipe" })).toThrow(/grub-script-check/);
});

test("adding twice is adding once, and removing gives back what was there", () => {
  expect(addGrubEntry(addGrubEntry("", entry), entry)).toBe(entry);
  expect(removeGrubEntry(entry)).toBe("");
  fc.assert(
    fc.property(fc.stringMatching(/^([a-z #{}"']{0,20}\n){0,5}$/), (before) => {
      const after = addGrubEntry(before, entry);
      expect(hasGrubEntry(after)).toBe(true);
      expect(removeGrubEntry(after)).toBe(before);
      expect(hasGrubEntry(before)).toBe(false);
    }),
  );
});

test("the command line carries the stash and the old consoles in order", () => {
  expect(commandLine).toBe(
    "dualroot.mode=convert dualroot.stash=b7a9a2ac-9d3e-4b5f-8f0e-0d1f2a3b4c5d:/var/lib/dualroot/stash " +
      `dualroot.stash_sha256=${"0".repeat(64)} panic=30 console=tty0 console=ttyS0,115200n8`,
  );
  expect(
    consoleWords("BOOT_IMAGE=/vmlinuz root=/dev/sda1 console=tty0 quiet console=ttyS0,115200\n"),
  ).toEqual(["console=tty0", "console=ttyS0,115200"]);
});
