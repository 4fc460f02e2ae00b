import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { SmokeOptions } from "../../builder/smoke/options.ts";
import { smokeReportSchema, type SmokeReport } from "../../builder/smoke/report.ts";
import { runSmoke } from "../../builder/smoke/run-smoke.ts";
import { createProgress } from "../../builder/render/progress.ts";
import { manifestName, manifestSchema } from "../../format/manifest.ts";
import { GiB } from "../../format/sizes.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import { rootPassword, type GatewayDescription } from "../fixtures/gateways.ts";
import { outputFolder } from "./gateway-session.ts";

/** The whole way, real in every part: stage 1, both reboots, stage 2, the health gate, then every item compared. */
let packageFolder: string;

beforeAll(async () => {
  packageFolder = await buildFixturePackage();
});

async function smoke(
  name: GatewayDescription["name"],
  changes: Partial<SmokeOptions>,
): Promise<{ report: SmokeReport; log: string }> {
  const gateway = await buildGatewayDisk(name);
  const options: SmokeOptions = {
    packageFolder,
    gateway: gateway.disk,
    user: "root",
    password: rootPassword,
    memoryBytes: GiB,
    bootMethod: "auto",
    macAddress: gateway.macAddress,
    fromUrl: false,
    outputFolder: join(outputFolder, name),
    keep: false,
    ...changes,
  };
  const manifest = manifestSchema.parse(
    JSON.parse(await readFile(join(packageFolder, manifestName), "utf8")),
  );
  await runSmoke(options, manifest, createProgress());
  const read = (file: string): Promise<string> => readFile(join(options.outputFolder, file), "utf8");
  return {
    report: smokeReportSchema.parse(JSON.parse(await read("report.json"))),
    log: await read("console.log"),
  };
}

function expectConverted(report: SmokeReport): void {
  expect(report.problems).toEqual([]);
  expect(report.outcome).toBe("converted");
  expect(report.downtimeSeconds).toBeGreaterThan(5);
  expect(report.ramdisk?.peakMiB).toBeGreaterThan(50);
  expect(report.layout.length).toBeGreaterThan(10);
  expect(report.screenshots).toContain("1-old-login.png");
}

function identityOf(report: SmokeReport): Record<string, string> {
  return Object.fromEntries(report.identity.map(({ item, new: current }) => [item, current]));
}

/** What the console showed between the old system's hand-over and the ramdisk. */
function betweenSystems(log: string): string {
  return log.slice(log.indexOf("upgrade.sh convert"), log.indexOf("dualroot: ramdisk started"));
}

describe.sequential("full conversion", () => {
  test("centos: XFS on LVM, ifcfg, by kexec", async () => {
    const { report, log } = await smoke("centos", { bootMethod: "kexec" });
    expectConverted(report);
    expect(report.identity.filter(({ equal }) => !equal)).toEqual([]);
    expect(identityOf(report)).toMatchObject({
      hostname: "gw-centos.example.net",
      "IPv4 of 52:54:00:77:00:01": "10.0.2.77/24",
      "DNS servers": "10.0.2.3 10.0.2.53",
      "search domains": "example.net plant.example.net",
      "IPv4 routes": "10.20.0.0/16 via 10.0.2.4; default via 10.0.2.2",
      "time zone": "Europe/Moscow",
      "administrator operator": "yes",
    });
    expect(report.identity.map(({ item }) => item)).toContain("file /etc/site/site.key");
    expect(betweenSystems(log)).not.toContain("GNU GRUB");
  });

  test("ext4: logical swap partition, ifupdown, by a one-shot GRUB entry, package from a web server", async () => {
    const { report, log } = await smoke("ext4", { bootMethod: "grub", fromUrl: true });
    expectConverted(report);
    // The new system has a service with maria's uid.
    expect(report.identity.filter(({ equal }) => !equal)).toEqual([
      {
        item: "uid of maria",
        old: "1001",
        new: expect.any(String),
        equal: false,
        accepted: expect.stringContaining("maria"),
      },
    ]);
    expect(identityOf(report)).toMatchObject({
      "IPv4 of 52:54:00:78:00:01": "10.0.2.78/24",
      "IPv4 routes": "10.30.0.0/16 via 10.0.2.5; default via 10.0.2.2",
      "administrator maria": "yes",
      "owner of /home/maria": "maria 755",
    });
    expect(betweenSystems(log)).toContain("GNU GRUB");
  });

  test("gpt: BIOS boot partition, systemd-networkd, DHCP and static IPv6, the way chosen by itself", async () => {
    const { report } = await smoke("gpt", {});
    expectConverted(report);
    expect(report.identity.filter(({ equal }) => !equal)).toEqual([]);
    expect(identityOf(report)).toMatchObject({
      "IPv4 of 52:54:00:79:00:01": "10.0.2.15/24",
      "IPv6 of 52:54:00:79:00:01": "fec0::79/64",
      "time zone": "Asia/Kolkata",
    });
  });
});
