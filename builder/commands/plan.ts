import { stat } from "node:fs/promises";
import { userError } from "../../format/errors.ts";
import { planPackage } from "../package/build-package.ts";
import { planForDisk } from "../package/plan-for-disk.ts";
import { describePlan } from "../../agent/plan/describe-plan.ts";
import { buildPlanLines } from "../render/build-plan.ts";
import { printResult } from "../render/print.ts";
import { createProgress } from "../render/progress.ts";

export async function planCommand(subject: string, options: { disk?: string; json?: true }): Promise<void> {
  const isFolder = (await stat(subject).catch(() => undefined))?.isDirectory() ?? false;
  if (isFolder !== (options.disk !== undefined)) {
    throw userError(
      isFolder
        ? {
            code: "disk-not-given",
            message: `${subject} is a package: say what disk it would meet`,
            hint: "Add --disk FACTS.json, made by `sh upgrade.sh check --json` on a gateway.",
          }
        : {
            code: "disk-without-package",
            message: `--disk goes with a package, and ${subject} is not a folder`,
            hint: "Leave --disk out to see what a release would build.",
          },
      "usage",
    );
  }
  if (options.disk === undefined) {
    const plan = await planPackage(subject, createProgress());
    printResult(options.json, plan, () => buildPlanLines(plan));
  } else {
    const plan = await planForDisk(subject, options.disk);
    printResult(options.json, plan, () => describePlan(plan));
  }
}
