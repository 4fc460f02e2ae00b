import { exitCodes, userError, UserError } from "../../format/errors.ts";
import { failuresOf } from "../checks/run-checks.ts";
import { runInstall } from "../install/run-install.ts";
import { readBootId } from "./attempt.ts";
import type { StageOneContext } from "./context.ts";
import { optionsOf } from "./install.ts";
import { watchForInterruption } from "./interruption.ts";
import { acquireLock } from "./lock.ts";
import { planFromInstallSurvey, surveyInstall } from "./survey-install.ts";

const interrupted = {
  message: "Interrupted before the slot was complete.",
  hint: "The slot that runs is untouched and boots as before.",
};

/**
 * An upgrade on behalf of another program, such as RAUC, which has marked the other slot bad and will activate it: everything between
 * those two writes. Asks nothing. With --check only the checks.
 */
export async function adopt(context: StageOneContext): Promise<number> {
  const { args, report, answer } = context;
  const release = await acquireLock();
  const { signal } = watchForInterruption(interrupted);
  try {
    const survey = await surveyInstall(context, "adopt");
    const failures = failuresOf(survey.checks);
    if (failures.length > 0) throw new UserError(failures, "refused");
    const plan = planFromInstallSurvey(survey, { purpose: "adopt", installedBy: args.installedBy });
    if (args.slot !== undefined && args.slot !== plan.slot)
      throw userError(
        {
          code: "slot-is-running",
          message: `Slot ${args.slot} is the one that runs.`,
          hint: `Only the other one, ${plan.slot}, can be written.`,
        },
        "refused",
      );
    if (args.checkOnly) {
      answer({ command: "adopt", outcome: "ready", release: survey.release, checks: survey.checks }, [
        `Slot ${plan.slot} can become ${plan.release}.`,
      ]);
      return exitCodes.success;
    }
    const done = await runInstall({
      ...optionsOf(context, survey, plan),
      installedBy: args.installedBy,
      bootId: await readBootId(),
      report,
      signal,
    });
    answer({ command: "adopt", outcome: done.outcome, release: plan.release, slot: plan.slot }, [
      `Slot ${plan.slot} has ${plan.release}; whoever asked for it makes it bootable.`,
    ]);
    return exitCodes.success;
  } finally {
    await release();
  }
}
