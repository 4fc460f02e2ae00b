import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { ConversionReport } from "../../../../format/report.ts";
import { readBootId, writeAttempt, type Attempt } from "../../../../agent/stage1/attempt.ts";
import { armGrubenv } from "../../../../agent/stage1/boot/grubenv-file.ts";
import { placesBelow, type Places } from "../../../../agent/stage1/places.ts";
import { readGatewayState } from "../../../../agent/stage1/status.ts";
import { renderStatus } from "../../../../agent/stage1/render/status-lines.ts";
import { undoPreparation } from "../../../../agent/stage1/undo.ts";

let places: Places;
const otherBoot = "00000000-0000-0000-0000-000000000000";
const attempt: Attempt = {
  format: 1,
  release: "demo 1",
  bootMethod: "grub",
  bootId: otherBoot,
  stash: "disk",
  rehearse: false,
  state: "armed",
};
const report: ConversionReport = {
  format: 1,
  outcome: "refused",
  release: "demo 1",
  problems: [{ code: "memory-too-small", message: "Needs 512 MiB, has 256 MiB.", hint: "Add memory." }],
  steps: [],
  diskChanged: false,
  notes: [],
  identity: [],
};

beforeEach(() => {
  places = placesBelow(mkdtempSync(join(tmpdir(), "status-")));
  mkdirSync(places.stash, { recursive: true });
  mkdirSync(join(places.root, "boot/grub2"), { recursive: true });
});

test("armed for GRUB, by what grubenv says, until it is cancelled", async () => {
  await writeAttempt(places, attempt);
  const grub = join(places.root, "boot/grub2");
  await armGrubenv(join(grub, "grubenv"));
  writeFileSync(join(grub, "custom.cfg"), "### BEGIN dualroot: not ours, and never ended\n");
  mkdirSync(join(places.root, "boot/dualroot"));
  expect(await readGatewayState(places)).toEqual({
    state: "armed",
    release: "demo 1",
    bootMethod: "grub",
    stash: "disk",
  });
  const run = (): never => {
    throw new Error("nothing was loaded for kexec, so nothing needs to be run");
  };
  const undone = await undoPreparation(places, run);
  expect(undone).toEqual([
    `kernel and ramdisk in ${join(places.root, "boot/dualroot")}`,
    `the stash in ${places.stash}`,
  ]);
  expect(await readGatewayState(places)).toEqual({ state: "not-prepared" });
  expect(await undoPreparation(places, run)).toEqual([]);
});

test("a report of the ramdisk says why the old system runs again", async () => {
  await writeAttempt(places, attempt);
  writeFileSync(places.report, JSON.stringify(report));
  const state = await readGatewayState(places);
  expect(state).toEqual({ state: "failed", report });
  expect(renderStatus(state).join("\n")).toContain("Needs 512 MiB, has 256 MiB.");
});

test("no report: the ramdisk did not get far enough to leave one", async () => {
  await writeAttempt(places, attempt);
  expect(await readGatewayState(places)).toMatchObject({ state: "no-report", bootMethod: "grub" });
});

test("in the same boot nothing has been tried yet", async () => {
  await writeAttempt(places, { ...attempt, bootId: await readBootId() });
  expect(await readGatewayState(places)).toEqual({ state: "unfinished", release: "demo 1" });
});

test("a rehearsal that came back", async () => {
  await writeAttempt(places, { ...attempt, rehearse: true });
  writeFileSync(places.report, JSON.stringify({ ...report, problems: [] }));
  expect(await readGatewayState(places)).toEqual({ state: "rehearsed", release: "demo 1" });
});

test("damaged files are no reason to fail", async () => {
  writeFileSync(places.attempt, '{"format":');
  writeFileSync(places.report, "\0\0\0");
  expect(await readGatewayState(places)).toEqual({ state: "unfinished" });
});

test("the old system that a conversion has kept is no converted one", async () => {
  mkdirSync(join(places.root, "etc/dualroot"), { recursive: true });
  const system = { format: 1, slot: "B", name: "CentOS Linux 7", version: "before demo 2", oldSystem: true };
  writeFileSync(join(places.root, "etc/dualroot/system.json"), JSON.stringify(system));
  const state = await readGatewayState(places);
  expect(state).toEqual({ state: "old-system", slot: "B", name: "CentOS Linux 7", version: "before demo 2" });
  expect(renderStatus(state).join("\n")).toContain("CentOS Linux 7 as it was before demo 2");
});

test("a converted gateway", async () => {
  mkdirSync(join(places.root, "etc/dualroot"), { recursive: true });
  const system = { format: 1, compatible: "gw", name: "demo", version: "2", counter: 1, slot: "A" };
  writeFileSync(join(places.root, "etc/dualroot/system.json"), JSON.stringify(system));
  expect(await readGatewayState(places)).toEqual({
    state: "converted",
    slot: "A",
    name: "demo",
    version: "2",
  });
});
