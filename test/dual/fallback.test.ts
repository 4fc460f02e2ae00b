import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { parseSlotConfiguration } from "../../agent/boot/slot-configuration.ts";
import { bootTiny, powerOff, runIn, waitForGood } from "./boot-tiny.ts";
import { brokenReleases, type BrokenRelease, type Change } from "./broken-releases.ts";
import { changeSlot, grubenv, readInSlot, setGrubenv } from "./disk-content.ts";
import { copyImage, ordersDisk } from "./tiny-dual.ts";
import { upgradedDisk } from "./upgraded-disk.ts";

/**
 * Releases that do not work, in slot B, after an upgrade that went well: real GRUB, three tries, and slot A is there again with the
 * reason in its status. `npm test` has some of them, from the third try on; the long tests all of them, from the first.
 */
const isLong = process.env["DUALROOT_LONG"] === "1";
const triesBefore = isLong ? 0 : 2;
/** Generous: the emulated processor may share its core with everything else on this host. */
const limitSeconds = isLong ? 900 : 480;
/** Shorter than anybody would have them in the field; the boot deadline only where it is waited for, as a busy host boots slowly. */
const settings = ["DUALROOT_HEALTH_SECONDS=5", "DUALROOT_CHECK_SECONDS=10", "DUALROOT_NOTICE_SECONDS=1"];

let upgraded: string;
let orders: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-fallback-"));
  upgraded = await upgradedDisk(folder);
  orders = await ordersDisk([]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "dualroot-fallback-"));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

test.each(brokenReleases.filter(({ isShort }) => isLong || isShort))(
  "a release falls back when $title",
  async (release) => {
    const disk = await breakSlotB(release);
    const machine = await bootTiny(disk, {
      orders: await copyImage(orders, join(scratch, "orders.img")),
      consoleLog: join(scratch, "console.log"),
    });
    const begin = performance.now();
    try {
      for (let attempt = triesBefore + 1; attempt <= 3; attempt += 1) {
        await machine.console.waitFor(new RegExp(`booting slot B, attempt ${attempt} of 3`), limitSeconds);
        await machine.console.waitFor(release.evidence, limitSeconds);
      }
      expect(await waitForGood(machine, limitSeconds)).toBe("A");
      const seconds = ((performance.now() - begin) / 1000).toFixed(0);
      process.stderr.write(`dual: ${release.title}: ${3 - triesBefore} tries, slot A after ${seconds} s\n`);
      const status = JSON.parse(await runIn(machine, "dualroot-status --json")) as Status;
      expect(status).toMatchObject({ running: "A", health: "good" });
      expect(status.events.map(({ event }) => event)).toContain("fallback");
      expect(status.events.map(({ message }) => message).join("\n")).toMatch(release.reason);
      await powerOff(machine);
    } finally {
      await machine.kill();
    }
    expect(await grubenv(disk)).toMatchObject({ ORDER: "B A", A_OK: "1", A_TRY: "0", B_TRY: "3" });
  },
);

interface Status {
  running: string;
  health: string;
  events: { event: string; message: string }[];
}

/** A panic waits a minute for somebody to read it; here five seconds. */
async function breakSlotB({ changes, setting }: BrokenRelease): Promise<string> {
  const disk = await copyImage(upgraded, join(scratch, "disk.img"));
  const configuration = (await readInSlot(disk, "B", "/boot/slot.cfg")).toString("utf8");
  const slot = parseSlotConfiguration(configuration);
  if (!slot) throw new Error(`slot B has no slot.cfg that can be read:\n${configuration}`);
  const quick = configuration.replace(/^(set dualroot_arguments='.*)'$/m, "$1 panic=5'");
  const all: Change[] = [
    ...changes({ kernel: slot.kernel, initramfs: slot.initramfs }),
    { path: "/boot/slot.cfg", text: quick },
    { path: "/etc/dualroot/health.conf", text: [...settings, setting ?? "", ""].join("\n") },
  ];
  const commands: string[] = [];
  for (const [index, change] of all.entries()) {
    commands.push(`rm ${change.path}`);
    if ("isGone" in change) continue;
    const file = join(scratch, `file-${index}`);
    const content =
      "text" in change ? change.text : (await readInSlot(disk, "B", change.path)).subarray(0, change.bytes);
    await writeFile(file, content);
    commands.push(`write ${file} ${change.path}`);
    commands.push(`sif ${change.path} mode ${"mode" in change && change.mode ? change.mode : "0100644"}`);
  }
  await changeSlot(disk, "B", commands);
  await setGrubenv(disk, { ORDER: "B A", B_OK: "1", B_TRY: String(triesBefore) });
  return disk;
}
