import { reportStep } from "../../format/events.ts";
import type { StepKind } from "../plan/step.ts";
import { executeStep } from "./executors.ts";
import { overallProgress, withOverall } from "./overall-progress.ts";
import type { StepContext } from "./step-context.ts";
import { stepWeight } from "./step-weight.ts";

/** These write nothing, or only to the stash; arm-resume-loader itself says when it comes to more. */
const harmless: readonly StepKind[] = ["release-old-system", "capture-old-system", "arm-resume-loader"];

/** Runs the plan's steps in order and stops at the first that fails. */
export async function executePlan(context: StepContext): Promise<void> {
  const { steps } = context.plan;
  const archiveBytes = steps.find((step) => step.kind === "extract-rootfs")?.archiveBytes ?? 0;
  const total = steps.reduce((sum, step) => sum + stepWeight(step, archiveBytes), 0);
  let before = 0;
  // One for all steps: what one of them finds out, such as where the old system's archive lies, a later one needs.
  const shared: StepContext = { ...context };
  for (const [index, step] of steps.entries()) {
    if (!harmless.includes(step.kind)) shared.noReturn.diskChanged();
    const weight = stepWeight(step, archiveBytes);
    shared.report = withOverall(context.report, (share) => (before + share * weight) / total);
    await reportStep(
      shared.report,
      { step: step.kind, title: step.title, number: index + 1, of: steps.length },
      () => executeStep(step, shared),
    );
    before += weight;
    context.report(overallProgress(before / total));
  }
}
