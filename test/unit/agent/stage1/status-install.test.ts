import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { renderUpgrade } from "../../../../agent/stage1/render/install-lines.ts";
import { readUpgradeState } from "../../../../agent/stage1/status-install.ts";
import { stateFolderOf } from "../../../../agent/slot/state-folder.ts";
import { readMountTable } from "../../../../agent/system/mounts.ts";
import { encodeGrubenv } from "../../../../format/grubenv.ts";
import type { UpgradeReport } from "../../../../format/upgrade-report.ts";

const report: UpgradeReport = {
  format: 1,
  outcome: "running",
  release: "gateway-os 2",
  from: "gateway-os 1",
  slot: "B",
  installedBy: "upgrade",
  started: "2026-11-20T13:05:07Z",
  bootId: "x",
  problems: [],
  steps: [],
  notes: [],
  identity: [
    { item: "hostname", old: "a", new: "a", equal: true },
    { item: "hosts", old: "b", new: "c", equal: false },
  ],
};

let root: string;
let path: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "status-install-"));
  const folder = join(root, stateFolderOf(await readMountTable()));
  mkdirSync(folder, { recursive: true });
  path = join(folder, "upgrade-report.json");
});

async function shown(change: Partial<UpgradeReport>, running = false): Promise<string> {
  writeFileSync(path, JSON.stringify({ ...report, ...change }));
  const state = await readUpgradeState({ root }, () => Promise.resolve(running));
  return state ? `${state.state}: ${renderUpgrade(state).join("\n")}` : "nothing";
}

test("tells an upgrade that runs from one that was cut off", async () => {
  expect(await shown({}, true)).toBe("running: Upgrade: slot B is being filled with gateway-os 2.");
  expect(await shown({}, false)).toMatch(
    /^cut-off: Upgrade: cut off while slot B was filled with gateway-os 2/,
  );
});

test("tells how the last one ended", async () => {
  expect(await shown({ outcome: "activated", ended: "2026-11-20T13:10:00Z" })).toBe(
    "activated: Upgrade: slot B has had gateway-os 2 since 2026-11-20T13:10:00Z; 1 of 2 items of identity were equal.",
  );
  const problems = [{ code: "step-failed", message: "The disk is full.", hint: "" }];
  expect(await shown({ outcome: "failed", problems })).toContain("  The disk is full. [step-failed]");
});

test.each(["", "{", '{"format":2}', "[]"])("%j is no report", async (text) => {
  writeFileSync(path, text);
  expect(await readUpgradeState({ root }, () => Promise.resolve(false))).toBeUndefined();
});

test.each<[string, string | undefined, string]>([
  ["marked bad", "0", "GRUB does not look at it."],
  ["bootable", "1", "GRUB may boot what is in it: nothing was written yet, or all of it."],
  ["a missing word is 1 for GRUB", undefined, "GRUB may boot what is in it"],
])("a slot of an upgrade without an end, %s", async (_, ok, words) => {
  mkdirSync(join(root, "boot/dualroot/grub"), { recursive: true });
  const block = encodeGrubenv(new Map(ok === undefined ? [] : [["B_OK", ok]]));
  writeFileSync(join(root, "boot/dualroot/grub/grubenv"), block);
  expect(await shown({})).toContain(words);
  expect(await shown({ outcome: "interrupted" })).toContain(words);
});

test("there was none", async () => {
  expect(await readUpgradeState({ root: mkdtempSync(join(tmpdir(), "status-none-")) })).toBeUndefined();
});
