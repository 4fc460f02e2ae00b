import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bootTiny, powerOff, waitForGood } from "../../dual/boot-tiny.ts";
import { grubenv } from "../../dual/disk-content.ts";
import { copyImage, ordersDisk, secondRelease, tinyDualDisk } from "../../dual/tiny-dual.ts";
import { installWords } from "../../dual/upgrade-tiny.ts";
import { openRecording } from "../record/recording.ts";
import { upgradeRecording } from "../record/upgrade-recording.ts";
import { isPromised, judge, type Verdict } from "../run/judge.ts";
import { differentBytes } from "../systems/target-tree.ts";
import { serveFaultyDisk, type Fault, type FaultyDisk } from "./faulty-disk.ts";

/** The disk answers that it has written the start of one of the release's files, and has not: what an upgrade makes of it, with all its safeguards and without one. */
const dropped: Fault = {
  kind: "drop",
  of: "write",
  holds: differentBytes(secondRelease.version).subarray(0, 512),
  times: 1,
};
const limitSeconds = 900;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-upgrade-faults-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  /** Absent when the power was cut before it ended. */
  exitCode?: number;
  output?: string;
  done: FaultyDisk["done"];
  /** grubenv when the gateway was switched off after the upgrade. */
  state: Record<string, string>;
  /** What it comes to when it is switched on again and left alone. */
  verdict: Verdict;
}

/** `cutAt`: the power goes when the console shows it. */
async function upgradeOnFaultyDisk(environment: string, cutAt?: RegExp): Promise<Outcome> {
  const { image } = await tinyDualDisk(folder);
  const orders = await copyImage(await ordersDisk([secondRelease]), join(folder, "orders.img"));
  const disk = await serveFaultyDisk(image, join(folder, "disk.socket"));
  const consoleLog = join(folder, "console.log");
  try {
    const machine = await bootTiny(disk.address, { orders, consoleLog, disposable: false });
    let ended: { exitCode: number; output: string } | undefined;
    try {
      await waitForGood(machine, limitSeconds);
      disk.inject(dropped);
      const command = `${environment} sh /opt/${secondRelease.version}/upgrade.sh ${installWords}`;
      if (cutAt) {
        machine.console.type(command);
        await machine.console.waitFor(cutAt, limitSeconds);
      } else {
        ended = await machine.console.run(command, limitSeconds);
        await powerOff(machine);
      }
    } finally {
      await machine.kill();
    }
    const state = await grubenv(image);
    return { ...ended, state, done: disk.done, verdict: await leftAlone(disk.address, consoleLog) };
  } finally {
    await disk.close();
  }
}

async function leftAlone(address: string, consoleLog: string): Promise<Verdict> {
  const { reference } = await openRecording(await upgradeRecording());
  const machine = await bootTiny(address, { consoleLog, disposable: false });
  try {
    const [line] = await machine.console.waitFor(/NEW-SYSTEM slot=[^\n]*\r?\n/, limitSeconds);
    return judge(line, reference);
  } finally {
    await machine.kill();
  }
}

test("what was not written is noticed, and the slot that runs stays", async () => {
  const { exitCode, output, done, state, verdict } = await upgradeOnFaultyDisk("");
  expect(done.map(({ fault }) => fault.kind)).toEqual(["drop"]);
  expect(exitCode).toBe(5);
  expect(output).toContain("read back wrong: usr/lib/tiny/content");
  expect(state).toMatchObject({ ORDER: "A B", A_OK: "1", B_OK: "0" });
  expect(verdict).toMatchObject({ outcome: "old" });
});

test("without reading back, it becomes the next system", async () => {
  const { exitCode, done, state, verdict } = await upgradeOnFaultyDisk("DUALROOT_WITHOUT=read-back");
  expect(done.map(({ fault }) => fault.kind)).toEqual(["drop"]);
  expect(exitCode).toBe(0);
  expect(state).toMatchObject({ ORDER: "B A", B_OK: "1" });
  expect(isPromised(verdict)).toBe(false);
});

test("with the activation before the reading back, a cut while it reads makes it the next system", async () => {
  const { done, state, verdict } = await upgradeOnFaultyDisk(
    "DUALROOT_WITHOUT=activate-last",
    /\] Read everything back/,
  );
  expect(done.map(({ fault }) => fault.kind)).toEqual(["drop"]);
  expect(state).toMatchObject({ ORDER: "B A", B_OK: "1" });
  expect(isPromised(verdict)).toBe(false);
});

test("noticed in time, even an activation that came too early is taken back", async () => {
  const { exitCode, done, state, verdict } = await upgradeOnFaultyDisk("DUALROOT_WITHOUT=activate-last");
  expect(done.map(({ fault }) => fault.kind)).toEqual(["drop"]);
  expect(exitCode).toBe(5);
  expect(state).toMatchObject({ ORDER: "A B", B_OK: "0" });
  expect(verdict).toMatchObject({ outcome: "old" });
});
