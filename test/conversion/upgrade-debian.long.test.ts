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
 * A whole Debian gateway, converted with one release, gets the next one into slot B and then into slot A, online each time: the same
 * gateway, whose services do not notice but for one restart. The tests go on where the one before has stopped.
 */
const upgrade = `sh ${mediaFolder}/package/upgrade.sh`;
let session: GatewaySession;
let console: SerialConsole;
let manifest: Manifest;
let before: Awaited<ReturnType<typeof observe>>;

async function outputOf(command: string, seconds = 120): Promise<string> {
  return (await console.run(command, seconds)).output;
}

/** The gate has marked the slot good, and systemd is done starting: both write to this very console. */
async function waitUntilGood(): Promise<void> {
  const good = `grep -q '"state":"good"' /run/dualroot/health`;
  await console.run(`for try in $(seq 120); do { ${good}; } 2>/dev/null && break; sleep 2; done`, 400);
  await console.run("timeout 120 systemctl is-system-running --wait; sleep 5", 150);
}

async function restartInto(slot: "A" | "B"): Promise<number> {
  const begin = performance.now();
  console.type("reboot");
  await console.waitFor(new RegExp(`dualroot: booting slot ${slot}, attempt 1 of 3`), 400);
  await console.waitFor(/login: $/m, 400);
  const seconds = (performance.now() - begin) / 1000;
  await console.logInAtPrompt("root", rootPassword);
  await mountMedia(console);
  await waitUntilGood();
  return seconds;
}

/** What would change if a service had been restarted, or the running system written to. */
async function runningSystem(): Promise<string> {
  const files =
    "find / -xdev -type f ! -path '/var/*' ! -path '/root/*' ! -path '/tmp/*' -printf '%p %s %T@\\n' | sort | sha256sum";
  return outputOf(
    `systemctl show -p MainPID -p ActiveEnterTimestampMonotonic ssh dbus systemd-networkd; ${files}`,
    300,
  );
}

describe("online upgrades of a whole Debian", () => {
  beforeAll(async () => {
    const gateway = await convertedGateway("ext4", await buildRaucPackage("2026.11", 7));
    const packageFolder = await buildRaucPackage("2026.12", 8);
    manifest = manifestSchema.parse(JSON.parse(await readFile(join(packageFolder, manifestName), "utf8")));
    session = await openGateway("upgrade", gateway, packageFolder, { cpus: 2 });
    console = session.machine.console;
    await waitUntilGood();
    before = await observe(console, manifest);
  });
  afterAll(async () => {
    await session?.close();
  });

  test("check says what an upgrade would do, and convert refuses", async () => {
    expect(await outputOf(`${upgrade} --dry-run`, 600)).toMatch(/Boot slot B from now on: ORDER="B A"/);
    const convert = await console.run(`${upgrade} convert --yes`, 600);
    expect(convert.exitCode, convert.output).toBe(4);
    expect(convert.output).toContain("code: already-converted");
  });

  test.each(["B", "A"] as const)("slot %s gets the new release", async (slot) => {
    await outputOf(`echo "of slot ${slot}" >>/etc/motd; echo "# by hand ${slot}" >>/etc/fstab`);
    const running = await runningSystem();
    const { exitCode, output } = await console.run(`${upgrade} upgrade --yes --reboot 03:30`, 1800);
    expect(exitCode, output).toBe(0);
    expect(await outputOf("cat /run/systemd/shutdown/scheduled")).toMatch(/MODE=reboot/);
    const scheduled =
      "date -d @$(sed -n 's/^USEC=\\(.*\\)......$/\\1/p' /run/systemd/shutdown/scheduled) +%H:%M";
    expect(await outputOf(scheduled)).toBe("03:30");
    await outputOf("shutdown -c");
    expect(await runningSystem()).toBe(running);
    const [, seconds] = /after (.*)\. Slot/.exec(output) ?? [];
    const items = /Identity: (\d+) of (\d+) items are equal/.exec(output);
    expect(items?.[1], output).toBe(items?.[2]);
    expect(await outputOf("grep -c dualroot/install /proc/mounts")).toBe("0");
    const downtime = await restartInto(slot);
    process.stderr.write(
      `upgrade: slot ${slot} online in ${seconds}, then ${downtime.toFixed(0)} s to the next login\n`,
    );
    expect(await observe(console, manifest)).toEqual(before);
    expect(await outputOf("cat /etc/fstab")).toMatch(
      new RegExp(`^/dev/mapper/VA-root_${slot.toLowerCase()} / ext4 .*# by hand ${slot}`, "ms"),
    );
    const record: unknown = JSON.parse(await outputOf(`cat /data/dualroot/slots/${slot}.json`));
    expect(record).toMatchObject({ slot, version: "2026.12", installedBy: "upgrade" });
    expect(await outputOf(`${upgrade} status`, 300)).toMatch(
      new RegExp(`Upgrade: slot ${slot} has had .* 2026\\.12`),
    );
    expect(await outputOf("systemctl --failed --no-legend --plain")).toBe("");
  });
});
