import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { UserError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { manifestName, packageFiles, signatureName, type Manifest } from "../../format/manifest.ts";
import { takeScreenshot } from "../vm/screenshot.ts";
import { convertGateway } from "./convert-gateway.ts";
import { createMedia, createOverlay } from "./disk-copy.ts";
import { startGateway, type GatewayMachine } from "./gateway-machine.ts";
import { renderJunit } from "./junit.ts";
import type { SmokeOptions } from "./options.ts";
import type { SmokeReport } from "./report.ts";
import { servePackage } from "./serve-package.ts";
import { stageRecorder } from "./stages.ts";

const packageNames = [...Object.values(packageFiles), manifestName, signatureName];

/** Converts a throw-away copy of the gateway and compares before and after. A failure is an outcome; the report is always written. */
export async function runSmoke(
  options: SmokeOptions,
  manifest: Manifest,
  report: Reporter,
): Promise<SmokeReport> {
  const run = createRun(report);
  const scratch = await mkdtemp(join(tmpdir(), "dualroot-smoke-"));
  await mkdir(options.outputFolder, { recursive: true });
  await removeOldPictures(options.outputFolder);
  const result: SmokeReport = {
    format: 1,
    outcome: "failed",
    release: `${manifest.name} ${manifest.version}`,
    gateway: options.gateway,
    accelerator: "tcg",
    bootMethod: options.bootMethod,
    problems: [],
    stages: [],
    identity: [],
    layout: [],
    screenshots: [],
  };
  const stage = stageRecorder(result, report);
  const overlay = join(scratch, "overlay.qcow2");
  const media = join(scratch, "media.img");
  const server = options.fromUrl ? await servePackage(options.packageFolder, packageNames) : undefined;
  let gateway: GatewayMachine | undefined;
  try {
    await stage("prepare", "Prepare a throw-away copy of the disk", async () => {
      await createOverlay(run, options.gateway, overlay);
      const names = server ? [packageFiles.upgrade] : packageNames;
      await createMedia({ run, packageFolder: options.packageFolder, names, scratch, image: media });
      gateway = await startGateway(options, { overlay, media }, report);
      result.accelerator = gateway.accelerator;
    });
    await convertGateway(gateway!, { options, manifest, result, stage, url: server?.url });
    result.problems.push(...findings(result));
    result.outcome = result.problems.length === 0 ? "converted" : "failed";
  } catch (error) {
    if (gateway)
      await takeScreenshot(gateway.machine.qmp, join(options.outputFolder, "failure.png")).catch(() => {});
    result.outcome = error instanceof UserError && error.exit === "refused" ? "refused" : "failed";
    result.problems.push(...describe(error));
  } finally {
    await gateway?.machine.kill();
    await server?.close();
    if (options.keep) await rename(overlay, join(options.outputFolder, "converted.qcow2")).catch(() => {});
    await rm(scratch, { recursive: true, force: true });
    await writeFile(join(options.outputFolder, "report.json"), `${JSON.stringify(result, null, 2)}\n`);
    await writeFile(join(options.outputFolder, "junit.xml"), renderJunit(result));
  }
  return result;
}

/** Another run's screenshots would be taken for this one's. */
async function removeOldPictures(folder: string): Promise<void> {
  const pictures = (await readdir(folder)).filter((name) => /^(\d-.*|failure)\.png$/.test(name));
  for (const name of pictures) await rm(join(folder, name));
}

/** What does not hold, a sentence each. */
function findings(result: SmokeReport): string[] {
  return [
    ...result.layout
      .filter(({ holds }) => !holds)
      .map(({ item, value }) => `${item} is not as promised: ${value}`),
    ...result.identity
      .filter(({ equal, accepted }) => !equal && accepted === undefined)
      .map(({ item, old, new: current }) => `${item} was "${old}", is "${current}"`),
    ...(result.conversion === undefined ? ["/data/dualroot/report.json is missing"] : []),
  ];
}

function describe(error: unknown): string[] {
  if (error instanceof UserError) return error.problems.map(({ message, hint }) => `${message}\n${hint}`);
  if (!(error instanceof Error)) return [String(error)];
  const hint = "hint" in error && typeof error.hint === "string" ? `\n${error.hint}` : "";
  return [`${error.message}${hint}`];
}
