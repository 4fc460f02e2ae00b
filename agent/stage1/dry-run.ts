import { exitCodes, UserError } from "../../format/errors.ts";
import { chooseBootMethod } from "../checks/boot-method.ts";
import { describePlan } from "../plan/describe-plan.ts";
import type { ConversionPlan } from "../plan/step.ts";
import { checkInstall } from "./check-install.ts";
import type { StageOneContext } from "./context.ts";
import { isDualSystem } from "./dual-system.ts";
import { describePackage } from "./render/package-lines.ts";
import { describePreparation } from "./render/preparation.ts";
import { renderCheckTable } from "./render/check-table.ts";
import { planFromSurvey, surveyGateway } from "./survey.ts";

/** All of check, then what convert and the ramdisk would do, step by step; changes nothing. */
export async function dryRun(context: StageOneContext): Promise<number> {
  // `convert` there is refused, and its table says what to do instead.
  if (context.args.command !== "convert" && (await isDualSystem(context.places)))
    return checkInstall(context);
  const survey = await surveyGateway(context);
  const failed = survey.checks.some(({ verdict }) => verdict === "fail");
  const lines = [...describePackage(survey), "", ...renderCheckTable(survey.checks), ""];
  let plan: ConversionPlan | undefined;
  try {
    plan = planFromSurvey(survey);
  } catch (error) {
    // A disk the checks have refused may have no plan; what they said is the answer then.
    if (!failed || !(error instanceof UserError)) throw error;
  }
  const { method } = chooseBootMethod(survey.manifest, survey.facts, context.args.boot);
  if (method) lines.push(...describePreparation(method, survey.stashMode.mode, context.places.stash), "");
  if (plan) lines.push("In the ramdisk", "", ...describePlan(plan));
  context.answer(
    {
      command: "dry-run",
      outcome: failed ? "refused" : "ready",
      release: survey.release,
      checks: survey.checks,
      bootMethod: method,
      stash: survey.stashMode,
      plan,
    },
    lines,
  );
  return failed ? exitCodes.refused : exitCodes.success;
}
