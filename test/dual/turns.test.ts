import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningMachine } from "../../builder/vm/launch.ts";
import { writePermit } from "../../builder/package/write-permit.ts";
import { firstRelease, powerPackage, tinyKeys } from "../power/systems/cached-package.ts";
import { bootTiny, powerOff, runIn, waitForGood } from "./boot-tiny.ts";
import { grubenv, slotTree } from "./disk-content.ts";
import {
  copyImage,
  fourthRelease,
  ordersDisk,
  secondRelease,
  thirdRelease,
  tinyDualDisk,
} from "./tiny-dual.ts";
import { askReport, upgradeTiny } from "./upgrade-tiny.ts";

/**
 * One gateway through its years: each release goes to the slot that is free, proves itself, and is still who the first one was. In
 * `npm test` for one turn, in the long tests for three.
 */
const isLong = process.env["DUALROOT_LONG"] === "1";
const releases = isLong ? [secondRelease, thirdRelease, fourthRelease] : [secondRelease];
let folder: string;
let disk: string;
let machine: RunningMachine;
let identity: string;
let version = firstRelease.version;
let filesOfA: Map<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-turns-"));
  disk = (await tinyDualDisk(folder)).image;
  filesOfA = await slotTree(disk, "A");
  const orders = await copyImage(await ordersDisk(releases), join(folder, "orders.img"));
  machine = await bootTiny(disk, { orders, consoleLog: join(folder, "console.log") });
  expect(await waitForGood(machine)).toBe("A");
  identity = (await askReport(machine))["identity"]!;
});
afterAll(async () => {
  await machine.kill();
  await rm(folder, { recursive: true, force: true });
});

test.each(releases.map((release, index) => ({ ...release, slot: index % 2 === 0 ? "B" : "A" })))(
  "release $version comes up in slot $slot, the same gateway",
  async ({ slot, ...release }) => {
    const before = await askReport(machine);
    const upgraded = await upgradeTiny(machine, release);
    expect(upgraded.slot).toBe(slot);
    const after = await askReport(machine);
    expect(after).toMatchObject({ slot, committed: "yes", identity });
    // The slot that ran is the way back: nothing in it has changed.
    expect(after[`slot_${before["slot"]!.toLowerCase()}`]).toBe(before["files"]);
    expect(await runIn(machine, "cat /etc/os-release")).toContain(`VERSION="${release.version}"`);
    expect(await runIn(machine, "cat /data/dualroot/counter")).toBe(String(release.counter));
    const status = JSON.parse(await runIn(machine, "dualroot-status --json")) as { running: string };
    expect(status).toMatchObject({ running: slot, version: release.version, next: slot });
    const seconds = (value: number): string => `${value.toFixed(0)} s`;
    process.stderr.write(
      `dual: ${version} -> ${release.version}: ${seconds(upgraded.onlineSeconds)} online, services down for ${seconds(upgraded.downSeconds)} (one restart)\n`,
    );
    version = release.version;
  },
);

test.runIf(isLong)("an earlier release is refused and nothing changes", async () => {
  const before = await askReport(machine);
  const { exitCode, output } = await machine.console.run(
    `sh /opt/${secondRelease.version}/upgrade.sh install --yes --allow-development-key`,
    120,
  );
  expect(exitCode).toBe(4);
  expect(output).toContain("counter-too-low");
  expect(await askReport(machine)).toEqual(before);
});

test.runIf(isLong)(
  "below the counter a release is refused, unless a permit by the same key lies beside it",
  async () => {
    const { version } = secondRelease;
    const check = `sh /opt/${version}/upgrade.sh check --allow-development-key`;
    await runIn(machine, "cp /data/dualroot/counter /run/counter; echo 9 >/data/dualroot/counter");
    const refused = await machine.console.run(check, 180);
    expect(refused.output).toContain("counter-too-low");
    expect(refused.exitCode).toBe(4);

    const permit = join(folder, "permit");
    await writePermit(await powerPackage(secondRelease), join(await tinyKeys(), "dev.key"), permit);
    for (const name of ["permit.json", "permit.json.sig"]) {
      const bytes = await readFile(join(permit, name), "base64");
      await runIn(machine, `echo ${bytes} | base64 -d >/opt/${version}/${name}`);
    }
    expect(await runIn(machine, check, 180)).toContain(`${secondRelease.counter} is below 9, which key `);
    await runIn(machine, `cp /run/counter /data/dualroot/counter; rm /opt/${version}/permit.json*`);
  },
);

test("switched off, GRUB prefers the slot that ran last, and counts nothing against it", async () => {
  await powerOff(machine);
  const last = releases.length % 2 === 0 ? "A" : "B";
  const [order, ok, tries] = [`${last} ${last === "A" ? "B" : "A"}`, `${last}_OK`, `${last}_TRY`];
  expect(await grubenv(disk)).toMatchObject({ ORDER: order, [ok]: "1", [tries]: "0" });
});

test.runIf(!isLong)("seen from outside too, no file of the slot that ran first has changed", async () => {
  expect(filesOfA.size).toBeGreaterThan(50);
  expect(lasting(await slotTree(disk, "A"))).toEqual(lasting(filesOfA));
});

/** Without what LVM writes on every change of a volume. */
function lasting(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...files].filter(([path]) => !path.startsWith("/etc/lvm/")));
}
