import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convertUntilRamdisk } from "../../builder/smoke/follow-conversion.ts";
import { mediaFolder, mountMedia, observe } from "../../builder/smoke/old-system.ts";
import type { SerialConsole } from "../../builder/vm/serial-console.ts";
import { manifestName, manifestSchema, type Manifest } from "../../format/manifest.ts";
import { buildKeepingPackage } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import { rootPassword } from "../fixtures/gateways.ts";
import { openGateway, type GatewaySession } from "./gateway-session.ts";

async function logIn(console: SerialConsole, slot: "A" | "B"): Promise<void> {
  await console.waitFor(new RegExp(`dualroot: booting slot ${slot}, attempt`), 400);
  await console.waitFor(/login: $/m, 400);
  await console.logInAtPrompt("root", rootPassword);
  await mountMedia(console);
}

/** The gate has marked the slot good, and systemd is done starting: both write to this very console. */
async function waitUntilGood(console: SerialConsole): Promise<void> {
  const good = `grep -q '"state":"good"' /run/dualroot/health`;
  await console.run(`for try in $(seq 120); do { ${good}; } 2>/dev/null && break; sleep 2; done`, 400);
  await console.run("timeout 120 systemctl is-system-running --wait; sleep 5", 150);
}

async function outputOf(console: SerialConsole, command: string): Promise<string> {
  return (await console.run(command, 120)).output;
}

let session: GatewaySession;
let manifest: Manifest;
let before: Awaited<ReturnType<typeof observe>>;
beforeAll(async () => {
  const packageFolder = await buildKeepingPackage();
  manifest = manifestSchema.parse(JSON.parse(await readFile(join(packageFolder, manifestName), "utf8")));
  session = await openGateway("rollback", await buildGatewayDisk("centos"), packageFolder);
  before = await observe(session.machine.console, manifest);
});
afterAll(async () => {
  await session?.close();
});

test("centos: the old system lives on as slot B, and rollback leads there", async () => {
  const { console } = session.machine;
  const upgrade = `sh ${mediaFolder}/package/upgrade.sh`;
  const oldKernel = await outputOf(console, "uname -r");
  await console.run("echo of the old system >/root/mark; chown scada:operator /root/mark", 60);
  await convertUntilRamdisk(console, "--allow-development-key");
  await console.waitFor(/The old system \(CentOS Linux 7 \(Core\)\) lives on as slot B/, 1200);
  await console.waitFor(/dualroot: converted\./, 900);
  await logIn(console, "A");
  await waitUntilGood(console);
  expect(await outputOf(console, "lvs --noheadings -o lv_name")).not.toContain("stash");
  expect(await outputOf(console, "cat /data/dualroot/history.jsonl")).toMatch(
    /"event":"committed".*"event":"stash-released"/s,
  );

  console.type(`${upgrade} rollback --yes`);
  await logIn(console, "B");
  await waitUntilGood(console);
  expect(await outputOf(console, "cat /proc/cmdline")).toMatch(/root=\/dev\/mapper\/VA-root_b.*rauc\.slot=B/);
  expect(await outputOf(console, "uname -r")).toBe(oldKernel);
  expect(await outputOf(console, "cat /root/mark; stat -c %U:%G /root/mark")).toMatch(
    /of the old system\s+scada:operator/,
  );
  expect(await observe(console, manifest)).toEqual(before);
  expect(await outputOf(console, `${upgrade} status`)).toContain("Old system: this gateway was converted");
  expect(await outputOf(console, "systemctl --failed --no-legend --plain")).toBe("");
  expect(await outputOf(console, "grub-editenv /boot/dualroot/grub/grubenv list")).toContain("ORDER=B A");
});

test("a sick slot A falls back to it", async () => {
  const { console } = session.machine;
  // Forward again, to a slot A that is not well: three tries, and the old system answers once more.
  await outputOf(
    console,
    `mkdir -p /mnt/a && mount /dev/mapper/VA-root_a /mnt/a && printf '#!/bin/sh\\necho the test wants it so; exit 1\\n' >/mnt/a/etc/dualroot/health.d/sick && chmod 755 /mnt/a/etc/dualroot/health.d/sick && echo DUALROOT_HEALTH_SECONDS=90 >/mnt/a/etc/dualroot/health.conf; umount /mnt/a`,
  );
  console.type("dualroot-rollback --yes");
  for (const attempt of [1, 2, 3]) {
    await console.waitFor(new RegExp(`dualroot: booting slot A, attempt ${attempt} of 3`), 600);
    await console.waitFor(/slot A is not healthy: check sick failed/, 400);
  }
  await logIn(console, "B");
  await waitUntilGood(console);
  expect(await observe(console, manifest)).toEqual(before);
  expect(await outputOf(console, "tail -n 5 /data/dualroot/history.jsonl")).toMatch(
    /"event":"unhealthy","slot":"A".*the test wants it so/,
  );
  expect(await outputOf(console, "dualroot-status")).toMatch(/slot A +given up after 3 attempts/);
});

test("an upgrade that is started in the old system goes to slot A, and restarts by itself", async () => {
  const { console } = session.machine;
  console.type(
    `sh ${mediaFolder}/package/upgrade.sh install --yes --allow-development-key --accept-unhealthy --reboot now`,
  );
  await console.waitFor(/dualroot: booting slot A, attempt 1 of 3/, 1800);
  await console.waitFor(/login: $/m, 400);
  await console.logInAtPrompt("root", rootPassword);
  await mountMedia(console);
  await waitUntilGood(console);
  expect(await observe(console, manifest)).toEqual(before);
  expect(JSON.parse(await outputOf(console, "cat /data/dualroot/slots/A.json"))).toMatchObject({
    installedBy: "upgrade",
  });
  expect(await outputOf(console, "grub-editenv /boot/dualroot/grub/grubenv list")).toContain("ORDER=A B");
  expect(await outputOf(console, "cat /root/mark 2>&1")).toContain("No such file");
});
