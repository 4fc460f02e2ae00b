import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mediaFolder, mountMedia, observe } from "../../builder/smoke/old-system.ts";
import type { SerialConsole } from "../../builder/vm/serial-console.ts";
import { manifestName, manifestSchema, type Manifest } from "../../format/manifest.ts";
import { convertedGateway } from "../fixtures/converted-gateway.ts";
import { buildRaucPackage } from "../fixtures/fixture-package.ts";
import { rootPassword } from "../fixtures/gateways.ts";
import { openGateway, type GatewaySession } from "./gateway-session.ts";

/**
 * Debian's unpatched RAUC on a converted Debian gateway: A -> B by RAUC, B -> A by ours, A -> B by RAUC again, with a kill and a
 * power cut on the way. The tests go on where the one before has stopped.
 */
const grubenv = "/boot/dualroot/grub/grubenv";
const bundle = `${mediaFolder}/package.raucb`;

let session: GatewaySession;
let console: SerialConsole;
let manifest: Manifest;
let before: Awaited<ReturnType<typeof observe>>;

async function outputOf(command: string, seconds = 120): Promise<string> {
  return (await console.run(command, seconds)).output;
}

async function environment(): Promise<Record<string, string>> {
  const lines = (await outputOf(`grub-editenv ${grubenv} list`)).split("\n");
  const pairs = lines.map((line) => /^(\w+)=(.*)$/.exec(line));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1]!, pair[2]!]] : [])));
}

/** `rauc status` without the slots' order, which changes. */
async function status(): Promise<{ booted: string; primary: string; A: string; B: string }> {
  const text = await outputOf("rauc status --output-format=json 2>/dev/null");
  const found = JSON.parse(text.slice(text.indexOf("{"))) as {
    booted: string;
    boot_primary: string;
    slots: Record<string, { bootname: string; boot_status: string }>[];
  };
  const slots = found.slots.flatMap((slot) => Object.values(slot));
  const state = (name: string): string => slots.find(({ bootname }) => bootname === name)?.boot_status ?? "";
  return { booted: found.booted, primary: found.boot_primary, A: state("A"), B: state("B") };
}

async function waitUntilGood(slot: "A" | "B"): Promise<void> {
  const good = `grep -q '"state":"good"' /run/dualroot/health && grep -q -a '^${slot}_TRY=0' ${grubenv}`;
  await console.run(`for try in $(seq 120); do { ${good}; } 2>/dev/null && break; sleep 2; done`, 400);
  await console.run("timeout 120 systemctl is-system-running --wait; sleep 2", 150);
}

async function logIn(slot: "A" | "B"): Promise<void> {
  await console.waitFor(new RegExp(`dualroot: booting slot ${slot}, attempt`), 400);
  await console.waitFor(/login: $/m, 400);
  await console.logInAtPrompt("root", rootPassword);
  await mountMedia(console);
  await waitUntilGood(slot);
}

/** Starts `rauc install`, and returns when the hook has made the slot's filesystem and unpacks into it. */
async function installUntilUnpacking(): Promise<void> {
  // In a subshell: the console puts more behind a command.
  await outputOf(`(rauc install ${bundle} >/run/install.log 2>&1 &)`);
  const { exitCode } = await console.run(
    `for try in $(seq 300); do ${slotIsMounted} && break; sleep 1; done; sleep 5; ${slotIsMounted}`,
    400,
  );
  expect(exitCode, `the slot is being written: ${await outputOf("cat /run/install.log")}`).toBe(0);
}

/** In any mount namespace: RAUC's service has its own. */
const slotIsMounted = "cat /proc/[0-9]*/mountinfo 2>/dev/null | grep -q ' /dev/mapper/VA-root_b '";

describe("RAUC on a converted gateway", () => {
  beforeAll(async () => {
    const gateway = await convertedGateway("ext4", await buildRaucPackage("2026.11", 7));
    const packageFolder = await buildRaucPackage("2026.12", 8);
    manifest = manifestSchema.parse(JSON.parse(await readFile(join(packageFolder, manifestName), "utf8")));
    session = await openGateway("rauc", gateway, packageFolder, { others: [`${packageFolder}.raucb`] });
    console = session.machine.console;
    await waitUntilGood("A");
    before = await observe(console, manifest);
  });
  afterAll(async () => {
    await session?.close();
  });

  test("sees the running slot, and that the other one is empty", async () => {
    expect(await status()).toEqual({ booted: "A", primary: "rootfs.0", A: "good", B: "bad" });
    expect(await outputOf("cat /etc/rauc/system.conf")).toContain("device=/dev/mapper/VA-root_b");
    expect(await outputOf("systemctl is-enabled rauc-mark-good.service")).toBe("masked");
  });

  test("refuses a bundle whose signature is not right, and marks nothing", async () => {
    const env = await environment();
    await outputOf(
      `cp ${bundle} /data/bad.raucb && printf x | dd of=/data/bad.raucb bs=1 seek=$(($(stat -c %s /data/bad.raucb) - 1600)) conv=notrunc status=none`,
    );
    const { exitCode, output } = await console.run(
      "rauc install /data/bad.raucb; rc=$?; rm /data/bad.raucb; (exit $rc)",
      120,
    );
    expect(exitCode, output).not.toBe(0);
    expect(output).toContain("signature");
    expect(await environment()).toEqual(env);
  });

  test("shows why our installer refuses, and marks nothing", async () => {
    const env = await environment();
    await outputOf("cp -a /data/dualroot/counter /run/counter; echo 99 >/data/dualroot/counter");
    const { exitCode, output } = await console.run(`rauc install ${bundle}`, 300);
    await outputOf(
      "if [ -e /run/counter ]; then cp -a /run/counter /data/dualroot/counter; else rm /data/dualroot/counter; fi",
    );
    expect(exitCode, output).not.toBe(0);
    expect(output).toMatch(/Bundle rejected: Hook returned: .*99/);
    expect(await environment()).toEqual(env);
  });

  test("killed while it writes, leaves the other slot bad and the running one as it was", async () => {
    await installUntilUnpacking();
    await outputOf("systemctl kill --signal=KILL rauc.service; sleep 2");
    expect(await outputOf(`pgrep -f 'upgrade.sh adopt'; ${slotIsMounted} && echo mounted`)).toBe("");
    expect(await environment()).toMatchObject({ ORDER: "A B", A_OK: "1", A_TRY: "0", B_OK: "0", B_TRY: "0" });
    expect(await status()).toMatchObject({ booted: "A", A: "good", B: "bad" });
  });

  test("without power while it writes, comes up in the running slot", async () => {
    await installUntilUnpacking();
    await session.machine.reset();
    await logIn("A");
    expect(await environment()).toMatchObject({ ORDER: "A B", A_OK: "1", B_OK: "0", B_TRY: "0" });
    expect(await observe(console, manifest)).toEqual(before);
  });

  test("upgrades to slot B, which is this gateway", async () => {
    const { exitCode, output } = await console.run(`time rauc install ${bundle}`, 1500);
    expect(exitCode, output).toBe(0);
    expect(await environment()).toMatchObject({ ORDER: "B A", A_OK: "1", B_OK: "1", B_TRY: "0" });
    console.type("reboot");
    await logIn("B");
    expect(await observe(console, manifest)).toEqual(before);
    expect(JSON.parse(await outputOf("cat /data/dualroot/slots/B.json"))).toMatchObject({
      version: "2026.12",
      installedBy: "rauc",
    });
    expect(await status()).toEqual({ booted: "B", primary: "rootfs.1", A: "good", B: "good" });
    expect(await outputOf("getcap /usr/bin/ping")).toContain("cap_net_raw");
    expect(await outputOf("cat /etc/hostname")).not.toBe("factory");
  });

  test("marks slots as RAUC's users are used to", async () => {
    expect(await outputOf("rauc status mark-bad other")).toContain("marked slot rootfs.0 as bad");
    expect(await environment()).toMatchObject({ ORDER: "B A", A_OK: "0", B_OK: "1" });
    expect(await outputOf("rauc status mark-active other")).toContain("activated slot rootfs.0");
    expect(await environment()).toMatchObject({ ORDER: "A B", A_OK: "1", A_TRY: "0", B_OK: "1" });
    expect(await outputOf("rauc status mark-active booted")).toContain("activated slot rootfs.1");
    expect(await outputOf("rauc status mark-good")).toContain("marked slot rootfs.1 as good");
    expect(await environment()).toMatchObject({ ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0" });
  });

  test("takes turns with upgrade.sh", async () => {
    const { exitCode, output } = await console.run(
      `sh ${mediaFolder}/package/upgrade.sh install --yes`,
      1500,
    );
    expect(exitCode, output).toBe(0);
    console.type("reboot");
    await logIn("A");
    expect(await observe(console, manifest)).toEqual(before);
    expect(JSON.parse(await outputOf("cat /data/dualroot/slots/A.json"))).toMatchObject({
      installedBy: "upgrade",
    });
    expect(await status()).toEqual({ booted: "A", primary: "rootfs.0", A: "good", B: "good" });

    const again = await console.run(`rauc install ${bundle}`, 1500);
    expect(again.exitCode, again.output).toBe(0);
    console.type("reboot");
    await logIn("B");
    expect(await observe(console, manifest)).toEqual(before);
    expect(await outputOf("systemctl --failed --no-legend --plain")).toBe("");
  });
});
