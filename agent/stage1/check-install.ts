import { exitCodes, UserError } from "../../format/errors.ts";
import { describeInstallPlan } from "../install/plan/describe-install-plan.ts";
import type { InstallPlan } from "../install/plan/install-step.ts";
import type { StageOneContext } from "./context.ts";
import { renderCheckTable } from "./render/check-table.ts";
import { describePackage } from "./render/package-lines.ts";
import { planFromInstallSurvey, surveyInstall } from "./survey-install.ts";

/** Can this dual system be upgraded? With --dry-run every step of it, too. Changes nothing. */
export async function checkInstall(context: StageOneContext): Promise<number> {
  const { args, answer } = context;
  const survey = await surveyInstall(context);
  const { release, checks, key, keyRing, facts, install } = survey;
  const failed = checks.some(({ verdict }) => verdict === "fail");
  const lines = [...describePackage(survey), "", ...renderCheckTable(checks, "upgraded")];
  let plan: InstallPlan | undefined;
  if (args.dryRun) {
    try {
      plan = planFromInstallSurvey(survey);
      lines.push("", ...describeInstallPlan(plan));
    } catch (error) {
      // What the checks have refused may have no plan.
      if (!failed || !(error instanceof UserError)) throw error;
    }
  }
  answer(
    {
      command: args.dryRun ? "dry-run" : "check",
      outcome: failed ? "refused" : "ready",
      upgrade: "install",
      release,
      signedBy: { ...key, trustedBy: keyRing.source },
      checks,
      ...(args.dryRun ? { plan } : { facts, install }),
    },
    lines,
  );
  return failed ? exitCodes.refused : exitCodes.success;
}
