import { join } from "node:path";
import { UserError } from "../../format/errors.ts";
import { upgradeReportSchema, type UpgradeReport } from "../../format/upgrade-report.ts";
import { readGrubenv } from "../install/facts/read-boot-partition.ts";
import { upgradeReportName } from "../install/upgrade-draft.ts";
import { stateFolderOf } from "../slot/state-folder.ts";
import { readTextIfExists } from "../system/files.ts";
import { readMountTable } from "../system/mounts.ts";
import type { Run } from "../system/run.ts";
import { acquireLock } from "./lock.ts";
import type { Places } from "./places.ts";

export interface UpgradeState {
  /** `cut-off`: it ran when the power went, or it was killed. */
  state: UpgradeReport["outcome"] | "cut-off";
  report: UpgradeReport;
  /** May GRUB boot the slot that was written, as grubenv has it now? */
  isBootable: boolean;
}

/** How the last upgrade of this dual system went; undefined when there was none, or its report cannot be read. */
export async function readUpgradeState(
  { root }: Pick<Places, "root">,
  isRunning = isUpgradeRunning,
): Promise<UpgradeState | undefined> {
  const folder = join(root, stateFolderOf(await readMountTable()));
  const text = await readTextIfExists(join(folder, upgradeReportName));
  const report = text === undefined ? undefined : parseReport(text);
  if (!report) return undefined;
  const { variables } = await readGrubenv(root);
  // A word that is missing is GRUB's default, as in docs/boot.md.
  const isBootable = (variables[`${report.slot}_OK`] ?? "1") === "1";
  if (report.outcome !== "running") return { state: report.outcome, report, isBootable };
  return { state: (await isRunning()) ? "running" : "cut-off", report, isBootable };
}

function parseReport(text: string): UpgradeReport | undefined {
  try {
    return upgradeReportSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function isUpgradeRunning(): Promise<boolean> {
  try {
    await (
      await acquireLock()
    )();
    return false;
  } catch (error) {
    if (error instanceof UserError && error.exit === "busy") return true;
    throw error;
  }
}

/** What the slot's own program says, in its words or as its value; undefined where a release left it out. */
export async function askSlotStatus(run: Run, json: boolean): Promise<string | undefined> {
  try {
    const { stdout } = await run("dualroot-status", json ? ["--json"] : [], { timeoutSeconds: 60 });
    return stdout;
  } catch {
    return undefined;
  }
}
