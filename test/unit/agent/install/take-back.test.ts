import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { takeBackUpgrade } from "../../../../agent/install/take-back.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../../../format/grubenv.ts";

const run = createRun(silent);

function gateway(commandLine: string, variables: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "take-back-"));
  mkdirSync(join(root, "proc"));
  mkdirSync(join(root, "boot/dualroot/grub"), { recursive: true });
  writeFileSync(join(root, "proc/cmdline"), commandLine);
  const path = join(root, "boot/dualroot/grub/grubenv");
  writeFileSync(path, encodeGrubenv(new Map(Object.entries(variables))));
  const read = (): Record<string, string> => Object.fromEntries(decodeGrubenv(readFileSync(path)) ?? []);
  return { root, read };
}

const waiting = { ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0", custom: "1" };

test("an upgrade that waits for its restart is taken back; the running slot's state stays", async () => {
  const { root, read } = gateway("root=/dev/mapper/VA-root_a rauc.slot=A panic=60", waiting);
  expect(await takeBackUpgrade(root, run)).toContain("slot A boots as before");
  expect(read()).toEqual({ ...waiting, ORDER: "A B", B_OK: "0" });
  expect(await takeBackUpgrade(root, run)).toBeUndefined();
});

test.each([
  ["the upgraded slot runs", "rauc.slot=B", waiting],
  ["nothing waits", "rauc.slot=A", { ...waiting, ORDER: "A B" }],
  ["the other slot was given up", "rauc.slot=A", { ...waiting, B_OK: "0" }],
  ["no slot runs", "quiet", waiting],
])("%s: nothing to take back", async (_, commandLine, variables) => {
  const { root, read } = gateway(commandLine, variables);
  expect(await takeBackUpgrade(root, run)).toBeUndefined();
  expect(read()).toEqual(variables);
});
