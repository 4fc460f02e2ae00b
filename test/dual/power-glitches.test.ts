import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootTiny, powerOff, waitForGood } from "./boot-tiny.ts";
import { grubenv } from "./disk-content.ts";
import { copyImage, ordersDisk, tinyDualDisk } from "./tiny-dual.ts";

/** The mains of a site come back, go, and come back: what that does to a slot that was committed long ago. */
const limitSeconds = 300;
let folder: string;
let disk: string;
let orders: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-glitches-"));
  disk = (await tinyDualDisk(folder)).image;
  orders = await copyImage(await ordersDisk([]), join(folder, "orders.img"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Switches on, and cuts the power as soon as GRUB has counted. */
async function glitch(attempt: number): Promise<void> {
  const machine = await bootTiny(disk, { orders, consoleLog: join(folder, `glitch-${attempt}.log`) });
  try {
    await machine.console.waitFor(new RegExp(`booting slot A, attempt ${attempt} of 3`), limitSeconds);
  } finally {
    await machine.kill();
  }
  expect(await grubenv(disk)).toMatchObject({ ORDER: "A B", A_OK: "1", A_TRY: String(attempt) });
}

test("two in a row: the slot comes up, and its counter begins anew", async () => {
  await glitch(1);
  await glitch(2);
  const machine = await bootTiny(disk, { orders, consoleLog: join(folder, "third.log") });
  try {
    await machine.console.waitFor(/booting slot A, attempt 3 of 3/, limitSeconds);
    expect(await waitForGood(machine, limitSeconds)).toBe("A");
    await powerOff(machine);
  } finally {
    await machine.kill();
  }
  expect(await grubenv(disk)).toMatchObject({ ORDER: "A B", A_OK: "1", A_TRY: "0" });
});

test("three in a row: GRUB cannot tell them from a slot that hangs, and takes the other one", async () => {
  for (const attempt of [1, 2, 3]) await glitch(attempt);
  const machine = await bootTiny(disk, { orders, consoleLog: join(folder, "other.log") });
  try {
    await machine.console.waitFor(/booting slot B, attempt 1 of 3/, limitSeconds);
  } finally {
    await machine.kill();
  }
  expect(await grubenv(disk)).toMatchObject({ ORDER: "A B", A_OK: "1", A_TRY: "3", B_TRY: "1" });
});
