import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../format/errors.ts";
import { fanOut, type Reporter } from "../../format/events.ts";
import type { Identity } from "../../format/identity.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { UpgradeReport } from "../../format/upgrade-report.ts";
import type { Facts } from "../facts/facts.ts";
import { observeNetwork } from "../identity/observe-network.ts";
import { createLogFile } from "../render/log-file.ts";
import { recordEvent, type HistoryWord } from "../slot/history.ts";
import { stateFolderOf } from "../slot/state-folder.ts";
import { createRun } from "../system/run.ts";
import type { Safeguard } from "../system/safeguards.ts";
import { storedInFolder } from "./stored-in-folder.ts";
import type { InstallPlan } from "./plan/install-step.ts";
import { executeInstallPlan } from "./steps/execute-install-plan.ts";
import type { InstallContext } from "./steps/install-context.ts";
import { putDown } from "./steps/put-down.ts";
import { installFolder } from "./target-folder.ts";
import { createUpgradeDraft } from "./upgrade-draft.ts";

export interface InstallOptions {
  plan: InstallPlan;
  manifest: Manifest;
  facts: Facts;
  identity: Identity;
  installedBy: UpgradeReport["installedBy"];
  packageFolder: string;
  runtimeFolder: string;
  bootId: string;
  /** The screen. */
  report: Reporter;
  signal: AbortSignal;
  without: ReadonlySet<Safeguard>;
  /** An error as problems a person can act on. */
  problemsOf: (error: unknown) => Problem[];
}

/** Runs an upgrade that was checked and agreed to; keeps log, report and history. */
export async function runInstall(options: InstallOptions): Promise<UpgradeReport> {
  const { plan, facts, manifest, bootId, installedBy } = options;
  // upgrade.sh keeps its own files to root; those of the new slot are for its services, too.
  process.umask(0o022);
  const stateFolder = stateFolderOf(facts.mounts);
  const draft = createUpgradeDraft({ stateFolder, bootId, installedBy, context: () => context });
  // First, for it makes the folder that the log lies in.
  const report = fanOut([options.report, draft.listen, (event) => log(event)]);
  const context: InstallContext = {
    run: createRun(report),
    report,
    stored: storedInFolder(options.packageFolder, manifest),
    without: options.without,
    runtimeFolder: options.runtimeFolder,
    manifest,
    identity: options.identity,
    preservedTar: join(installFolder, ".dualroot-preserved.tar"),
    notes: [],
    changed: [],
    written: new Map(),
    plan,
    interfaces: facts.interfaces,
    network: observeNetwork(options.identity),
    isMarkedBad: false,
    identityTable: [],
    signal: options.signal,
  };
  const tell = (event: HistoryWord, message: string): Promise<void> =>
    recordEvent(stateFolder, { event, slot: plan.running, version: plan.fromVersion, message });
  await draft.save("running");
  const log = await openLog(stateFolder);
  log({ kind: "detail", message: `plan: ${JSON.stringify(plan)}` });
  log({ kind: "detail", message: `facts: ${JSON.stringify(facts)}` });
  await tell("upgrade-started", `slot ${plan.slot} is written with ${plan.release}`);
  try {
    await executeInstallPlan(context);
  } catch (error) {
    const problems = options.problemsOf(error);
    await putDown(context);
    await draft.save(options.signal.aborted ? "interrupted" : "failed", problems);
    const why = problems.map(({ message }) => message).join(" ");
    await tell("upgrade-failed", `slot ${plan.slot} did not become ${plan.release}: ${why}`);
    throw error;
  }
  const done = await draft.save(plan.purpose === "adopt" ? "adopted" : "activated");
  await tell("upgrade-finished", `slot ${plan.slot} has ${plan.release}, read back equal to the package`);
  return done;
}

/** One run, one log; the one before is kept. Commands and their output: root's business. */
async function openLog(stateFolder: string): Promise<Reporter> {
  const path = join(stateFolder, "upgrade.log");
  await rename(path, `${path}.old`).catch(() => {});
  return createLogFile(path);
}
