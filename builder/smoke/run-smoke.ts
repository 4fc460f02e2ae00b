import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { UserError } from "../../format/errors.ts";
import { reportStep, type Reporter } from "../../format/events.ts";
import { manifestName, packageFiles, signatureName, type Manifest } from "../../format/manifest.ts";
import { takeScreenshot } from "../vm/screenshot.ts";
import { compareIdentity } from "./compare-identity.ts";
import { createMedia, createOverlay } from "./disk-copy.ts";
import { lastLineOfOldSystem } from "./downtime.ts";
import { convertUntilRamdisk, followFirstBoot, followRamdisk } from "./follow-conversion.ts";
import { startGateway, type GatewayMachine } from "./gateway-machine.ts";
import { renderJunit } from "./junit.ts";
import { Milestones } from "./milestones.ts";
import { askSshd, examine, waitForHealth } from "./new-system.ts";
import { checkPackage, mountMedia, observe } from "./old-system.ts";
import type { SmokeOptions } from "./options.ts";
import type { SmokeReport } from "./report.ts";
import { servePackage } from "./serve-package.ts";

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

type Stage = <T>(name: string, title: string, work: () => Promise<T>) => Promise<T>;

async function convertGateway(
  gateway: GatewayMachine,
  context: {
    options: SmokeOptions;
    manifest: Manifest;
    result: SmokeReport;
    stage: Stage;
    url: string | undefined;
  },
): Promise<void> {
  const { options, manifest, result, stage, url } = context;
  const { machine } = gateway;
  const console = machine.console;
  const milestones = new Milestones(machine.qmp, options.outputFolder);
  result.screenshots = milestones.files;
  const words = `${url === undefined ? "" : `--from ${url} `}--allow-development-key`;

  await stage("boot-old", "Boot the old system and log in", async () => {
    await console.logIn(options.user, options.password, 300);
    await milestones.take("old-login");
    await mountMedia(console);
  });
  const old = await stage("observe-old", "Note the old system's identity", () => observe(console, manifest));
  await stage("check", "sh upgrade.sh check", () => checkPackage(console, words));
  const startedMs = performance.now();
  await stage("convert", "sh upgrade.sh convert, until the ramdisk runs", () =>
    convertUntilRamdisk(console, `--boot ${options.bootMethod} ${words}`),
  );
  const handedOverMs = lastLineOfOldSystem(console.lines, machine.events, startedMs);
  await stage("ramdisk", "Follow the ramdisk", () => followRamdisk(console, milestones));
  await stage("boot-new", "Follow the new system's first boot", () => followFirstBoot(console, milestones));
  if (handedOverMs !== undefined) result.downtimeSeconds = round((performance.now() - handedOverMs) / 1000);
  await milestones.take("new-login");
  await stage("log-in-new", "Log in with the old password", async () => {
    await console.logInAtPrompt(options.user, options.password);
    await mountMedia(console);
  });
  await stage("health", "Wait for the health gate", () => waitForHealth(console));
  const notes = await stage("examine", "Look at the new layout", async () => {
    const { layout, conversion } = await examine(console, manifest);
    result.layout = layout;
    if (conversion) {
      result.conversion = conversion;
      if (conversion.ramdisk) result.ramdisk = conversion.ramdisk;
    }
    return conversion?.notes ?? [];
  });
  await stage("observe-new", "Compare the identity", async () => {
    result.identity = compareIdentity(old, await observe(console, manifest), notes);
    await compareSshd(gateway, context.result, old);
  });
}

/** The key that sshd shows to the network at the old address. */
async function compareSshd(
  gateway: GatewayMachine,
  result: SmokeReport,
  old: ReadonlyMap<string, string>,
): Promise<void> {
  const address = [...old]
    .find(([item, value]) => item.startsWith("IPv4 of ") && value !== "")?.[1]
    .split(/[ /]/)[0];
  const key = old.get("SSH host key ed25519");
  if (address === undefined || key === undefined) return;
  const shown = await askSshd(
    createRun(() => {}),
    gateway.machine,
    address,
  );
  result.identity.push({ item: `SSH host key at ${address}`, old: key, new: shown, equal: shown === key });
}

function stageRecorder(result: SmokeReport, report: Reporter): Stage {
  return async (name, title, work) => {
    const begin = performance.now();
    let outcome: "finished" | "failed" = "failed";
    try {
      const value = await reportStep(report, { step: name, title }, work);
      outcome = "finished";
      return value;
    } finally {
      result.stages.push({ name, seconds: round((performance.now() - begin) / 1000), outcome });
    }
  };
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

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
