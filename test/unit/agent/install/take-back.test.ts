import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { takeBackUpgrade } from "../../../../agent/install/take-back.ts";
import { recordOf, type SlotRecord } from "../../../../agent/slot/slot-record.ts";
import { stateFolderOf } from "../../../../agent/slot/state-folder.ts";
import { describeRelease } from "../../../../agent/slot/system-file.ts";
import { writeSlotRecord } from "../../../../agent/slot/write-slot-record.ts";
import { readMountTable } from "../../../../agent/system/mounts.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../../../format/grubenv.ts";
import { exampleManifest } from "../example.ts";

const run = createRun(silent);

/** `record`: what changes in that of an upgrade in slot B which was not booted yet; false: there is none. */
async function gateway(
  commandLine: string,
  variables: Record<string, string>,
  record: Partial<SlotRecord> | false = {},
) {
  const root = mkdtempSync(join(tmpdir(), "take-back-"));
  mkdirSync(join(root, "proc"));
  mkdirSync(join(root, "boot/dualroot/grub"), { recursive: true });
  writeFileSync(join(root, "proc/cmdline"), commandLine);
  const path = join(root, "boot/dualroot/grub/grubenv");
  writeFileSync(path, encodeGrubenv(new Map(Object.entries(variables))));
  const system = describeRelease(exampleManifest(), "B", "VA");
  if (record !== false)
    await writeSlotRecord(join(root, stateFolderOf(await readMountTable())), {
      ...recordOf(system, "upgrade"),
      ...record,
    });
  const read = (): Record<string, string> => Object.fromEntries(decodeGrubenv(readFileSync(path)) ?? []);
  return { root, read };
}

const waiting = { ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0", custom: "1" };

test("an upgrade that waits for its restart is taken back; the running slot's state stays", async () => {
  const { root, read } = await gateway("root=/dev/mapper/VA-root_a rauc.slot=A panic=60", waiting);
  expect(await takeBackUpgrade(root, run)).toContain("slot A boots as before");
  expect(read()).toEqual({ ...waiting, ORDER: "A B", B_OK: "0" });
  expect(await takeBackUpgrade(root, run)).toBeUndefined();
});

test.each<[string, Partial<SlotRecord> | false]>([
  ["a rollback to a slot that was healthy once", { committed: "2026-11-20T13:05:07Z" }],
  ["a rollback to the old system", { oldSystem: true, installedBy: "conversion" }],
  ["a slot without a record, so no upgrade is known to wait", false],
])("%s: only the order is taken back", async (_, record) => {
  const { root, read } = await gateway("rauc.slot=A", waiting, record);
  expect(await takeBackUpgrade(root, run)).toBe(
    "the choice of slot B: slot A boots as before, slot B stays bootable as its fallback",
  );
  expect(read()).toEqual({ ...waiting, ORDER: "A B" });
  expect(await takeBackUpgrade(root, run)).toBeUndefined();
});

test.each([
  ["the upgraded slot runs", "rauc.slot=B", waiting],
  ["nothing waits", "rauc.slot=A", { ...waiting, ORDER: "A B" }],
  ["the other slot was given up", "rauc.slot=A", { ...waiting, B_OK: "0" }],
  ["no slot runs", "quiet", waiting],
])("%s: nothing to take back", async (_, commandLine, variables) => {
  const { root, read } = await gateway(commandLine, variables);
  expect(await takeBackUpgrade(root, run)).toBeUndefined();
  expect(read()).toEqual(variables);
});
