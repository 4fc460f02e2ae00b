import { createRun } from "../../agent/system/run.ts";
import { silent } from "../../format/events.ts";
import type { Manifest } from "../../format/manifest.ts";
import { compareIdentity } from "./compare-identity.ts";
import { lastLineOfOldSystem } from "./downtime.ts";
import { convertUntilRamdisk, followFirstBoot, followRamdisk } from "./follow-conversion.ts";
import type { GatewayMachine } from "./gateway-machine.ts";
import { Milestones } from "./milestones.ts";
import { askSshd, examine, waitForHealth } from "./new-system.ts";
import { checkPackage, mountMedia, observe } from "./old-system.ts";
import type { SmokeOptions } from "./options.ts";
import type { SmokeReport } from "./report.ts";
import { round, type Stage } from "./stages.ts";

/** The way through, stage by stage, on a machine that has just been started. Fills `result`; throws where it ends early. */
export async function convertGateway(
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
  const shown = await askSshd(createRun(silent), gateway.machine, address);
  result.identity.push({ item: `SSH host key at ${address}`, old: key, new: shown, equal: shown === key });
}
