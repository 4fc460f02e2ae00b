import { reportStep, type Reporter } from "../../format/events.ts";
import { executeStep } from "./executors.ts";
import type { StepContext } from "./step-context.ts";
import { stepWeight } from "./step-weight.ts";

/** Progress events with this word are about the whole plan; renderers make the time left of them. */
export const overallStep = "conversion";
const overallTotal = 1000;

/** Runs the plan's steps in order and stops at the first that fails. `beforeFirstWrite` comes before anything reaches the disk. */
export async function executePlan(context: StepContext, beforeFirstWrite: () => void): Promise<void> {
  const { steps } = context.plan;
  const archiveBytes = steps.find((step) => step.kind === "extract-rootfs")?.archiveBytes ?? 0;
  const total = steps.reduce((sum, step) => sum + stepWeight(step, archiveBytes), 0);
  let before = 0;
  let hasWritten = false;
  for (const [index, step] of steps.entries()) {
    if (step.kind !== "release-old-system" && !hasWritten) {
      beforeFirstWrite();
      hasWritten = true;
    }
    const weight = stepWeight(step, archiveBytes);
    const report = withOverall(context.report, (share) => (before + share * weight) / total);
    await reportStep(
      report,
      { step: step.kind, title: step.title, number: index + 1, of: steps.length },
      () => executeStep(step, { ...context, report }),
    );
    before += weight;
    context.report({
      kind: "progress",
      step: overallStep,
      done: Math.round((before / total) * overallTotal),
      total: overallTotal,
    });
  }
}

/** Follows every progress event of a step with one of the whole. */
function withOverall(report: Reporter, overall: (share: number) => number): Reporter {
  return (event) => {
    report(event);
    if (event.kind !== "progress" || event.total <= 0) return;
    const share = Math.min(1, event.done / event.total);
    report({
      kind: "progress",
      step: overallStep,
      done: Math.round(overall(share) * overallTotal),
      total: overallTotal,
    });
  };
}
