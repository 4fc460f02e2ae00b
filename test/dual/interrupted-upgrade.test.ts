import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningMachine } from "../../builder/vm/launch.ts";
import { bootTiny, runIn, waitForGood } from "./boot-tiny.ts";
import { copyImage, ordersDisk, secondRelease, tinyDualDisk } from "./tiny-dual.ts";
import { askReport, upgradeTiny } from "./upgrade-tiny.ts";

/**
 * Upgrades that end in the middle, on one gateway that stays up: services, the running slot and what GRUB boots are as before each
 * time, and in the end the same command goes through. Killed without warning, while the step of that title runs.
 */
const isLong = process.env["DUALROOT_LONG"] === "1";
const killedIn = isLong
  ? ["Unpack the new system", "Read everything back", "Refresh the rescue system"]
  : ["Unpack the new system"];
const log = "/data/dualroot/upgrade.log";
const upgrade = `sh /opt/${secondRelease.version}/upgrade.sh`;

let folder: string;
let machine: RunningMachine;
let before: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-interrupted-"));
  const { image } = await tinyDualDisk(folder);
  const orders = await copyImage(await ordersDisk([secondRelease]), join(folder, "orders.img"));
  machine = await bootTiny(image, { orders, consoleLog: join(folder, "console.log") });
  expect(await waitForGood(machine, 400)).toBe("A");
  before = await askReport(machine);
  // Stands for the gateway's services.
  await runIn(
    machine,
    "sleep 100000 & echo $! >/run/service; cut -d ' ' -f 22 /proc/$!/stat >/run/service-start",
  );
});
afterAll(async () => {
  await machine.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Starts an upgrade, waits for the step, and sends both of its processes the signal; upgrade.sh's exit code. */
async function interrupt(title: string, signal: "KILL" | "INT"): Promise<string> {
  const receivers = signal === "KILL" ? "$shell $agent" : "$agent";
  // The gateway's console takes one line at a time.
  const script = [
    `rm -f ${log}`,
    `${upgrade} install --yes --allow-development-key >/run/output 2>&1 & shell=$!`,
    `until grep -q "== [0-9/]* ${title}" ${log} 2>/dev/null || [ ! -d /proc/$shell ]; do sleep 0.1; done`,
    "agent=$(cat /proc/$shell/task/$shell/children)",
    `kill -${signal} ${receivers}`,
    "code=0",
    "wait $shell || code=$?",
    'echo "ended with $code"',
  ].join("; ");
  return runIn(machine, script, 600);
}

async function expectUntouched(): Promise<void> {
  const { files, identity, slot } = await askReport(machine);
  expect({ files, identity, slot }).toEqual({
    files: before["files"],
    identity: before["identity"],
    slot: "A",
  });
  expect(await runIn(machine, "cut -d ' ' -f 22 /proc/$(cat /run/service)/stat")).toBe(
    await runIn(machine, "cat /run/service-start"),
  );
  const environment = await runIn(machine, "grub-editenv - list");
  for (const line of ["ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0"]) expect(environment).toContain(line);
}

test.each(killedIn)("killed during: %s", { timeout: 900_000 }, async (title) => {
  expect(await interrupt(title, "KILL")).toContain("ended with 137");
  await expectUntouched();
  if (!isLong) return;
  const status = await runIn(machine, `${upgrade} status`, 300);
  expect(status).toContain("Upgrade: cut off while slot B was filled with tiny 3");
});

test.runIf(isLong)(
  "asked to stop, it ends by itself and leaves nothing mounted",
  { timeout: 900_000 },
  async () => {
    const ended = await interrupt("Unpack the new system", "INT");
    expect(ended).toContain("ended with 130");
    expect(await runIn(machine, "cat /run/output")).toContain("code: interrupted");
    await expectUntouched();
    expect(await runIn(machine, "grep -c dualroot/install /proc/mounts || :")).toBe("0");
  },
);

test("the next one goes through, and is all that is left", { timeout: 900_000 }, async () => {
  const upgraded = await upgradeTiny(machine, secondRelease);
  expect(upgraded.slot).toBe("B");
  const after = await askReport(machine);
  expect(after).toMatchObject({ slot: "B", committed: "yes", identity: before["identity"] });
  expect(after["slot_a"]).toBe(before["files"]);
  expect(
    await runIn(machine, "ls -d /var/tmp/dualroot-runtime.* /opt/dualroot-runtime.* 2>/dev/null || :"),
  ).toBe("");
});
