import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import type { UpgradeReport } from "../../format/upgrade-report.ts";
import { utcNow } from "../slot/slot-record.ts";
import { writeFileDurably } from "../system/files.ts";
import type { InstallContext } from "./steps/install-context.ts";

export const upgradeReportName = "upgrade-report.json";

/** upgrade-report.json in the making: listens to what happens, and is there from the first moment on, for whoever comes after a cut. */
export interface UpgradeDraft {
  listen: Reporter;
  /**
   * Before the first write a report that cannot be saved is an error. Later (a full /data, say) it is only noted: it must neither make
   * a failure of a slot that boots next, nor hide what went wrong.
   */
  save: (outcome: UpgradeReport["outcome"], problems?: readonly Problem[]) => Promise<UpgradeReport>;
}

export function createUpgradeDraft(options: {
  stateFolder: string;
  bootId: string;
  installedBy: UpgradeReport["installedBy"];
  context: () => Pick<InstallContext, "plan" | "notes" | "identityTable">;
}): UpgradeDraft {
  const { stateFolder, bootId, installedBy } = options;
  const started = utcNow();
  const steps: UpgradeReport["steps"] = [];
  return {
    listen: (event) => {
      if (event.kind !== "finished" && event.kind !== "failed") return;
      const seconds = event.kind === "finished" ? Math.round(event.seconds * 1000) / 1000 : 0;
      steps.push({ step: event.step, title: event.title, seconds, outcome: event.kind });
    },
    save: async (outcome, problems = []) => {
      const { plan, notes, identityTable } = options.context();
      const report: UpgradeReport = {
        format: 1,
        outcome,
        release: plan.release,
        from: plan.from,
        slot: plan.slot,
        installedBy,
        started,
        ...(outcome === "running" ? {} : { ended: utcNow() }),
        bootId,
        problems: [...problems],
        steps,
        notes,
        identity: identityTable,
      };
      try {
        await mkdir(stateFolder, { recursive: true, mode: 0o755 });
        const text = `${JSON.stringify(report, undefined, 2)}\n`;
        await writeFileDurably(join(stateFolder, upgradeReportName), text);
      } catch (error) {
        if (outcome === "running") throw error;
        const why = error instanceof Error ? error.message : String(error);
        notes.push(`The report of this upgrade could not be saved: ${why}.`);
      }
      return report;
    },
  };
}
