import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { SmokeOptions } from "../../builder/smoke/options.ts";
import { smokeReportSchema, type SmokeReport } from "../../builder/smoke/report.ts";
import { runSmoke } from "../../builder/smoke/run-smoke.ts";
import { createProgress } from "../../builder/render/progress.ts";
import { manifestName, manifestSchema } from "../../format/manifest.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import type { GatewayDescription } from "../fixtures/gateways.ts";
import { smokeOptions } from "./smoke-options.ts";

/** The whole way, real in every part: stage 1, both reboots, stage 2, the health gate, then every item compared. */
export async function convertGateway(
  name: GatewayDescription["name"],
  changes: Partial<SmokeOptions>,
): Promise<{ report: SmokeReport; log: string }> {
  const packageFolder = await buildFixturePackage();
  const gateway = await buildGatewayDisk(name);
  const options = smokeOptions(name, gateway, packageFolder, changes);
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

export function expectConverted(report: SmokeReport): void {
  expect(report.problems).toEqual([]);
  expect(report.outcome).toBe("converted");
  expect(report.downtimeSeconds).toBeGreaterThan(5);
  expect(report.ramdisk?.peakMiB).toBeGreaterThan(50);
  expect(report.layout.length).toBeGreaterThan(10);
  expect(report.screenshots).toContain("1-old-login.png");
}

export function identityOf(report: SmokeReport): Record<string, string> {
  return Object.fromEntries(report.identity.map(({ item, new: current }) => [item, current]));
}

/** What the console showed from the old system's last words to the ramdisk's first. */
export function betweenSystems(log: string): string {
  const ramdisk = log.indexOf("dualroot: ramdisk started");
  const handover = log.lastIndexOf("Handing over to the ramdisk", ramdisk);
  expect(handover, "the old system said that it hands over").toBeGreaterThan(0);
  expect(ramdisk, "the ramdisk said that it started").toBeGreaterThan(handover);
  return log.slice(handover, ramdisk);
}
