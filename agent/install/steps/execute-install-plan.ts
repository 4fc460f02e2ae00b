import { reportStep } from "../../../format/events.ts";
import { overallProgress, withOverall } from "../../steps/overall-progress.ts";
import type { InstallStep } from "../plan/install-step.ts";
import { executeInstallStep } from "./executors.ts";
import type { InstallContext } from "./install-context.ts";
import { installStepWeight } from "./install-step-weight.ts";

/**
 * Runs the plan's steps in order and stops at the first that fails, or before the next when a person asked to. The last one, which
 * activates the slot, is one write and cannot be stopped halfway.
 */
export async function executeInstallPlan(context: InstallContext): Promise<void> {
  const steps = context.without.has("activate-last")
    ? activatedEarly(context.plan.steps)
    : context.plan.steps;
  const archiveBytes = steps.find((step) => step.kind === "extract-rootfs")?.archiveBytes ?? 0;
  const total = steps.reduce((sum, step) => sum + installStepWeight(step, archiveBytes), 0);
  const { report, signal } = context;
  let before = 0;
  for (const [index, step] of steps.entries()) {
    signal.throwIfAborted();
    const weight = installStepWeight(step, archiveBytes);
    context.report = withOverall(report, (share) => (before + share * weight) / total);
    try {
      await reportStep(
        context.report,
        { step: step.kind, title: step.title, number: index + 1, of: steps.length },
        () => executeInstallStep(step, context),
      );
    } catch (error) {
      // Ctrl-C reaches the step's programs as well: what failed for it is no failure.
      signal.throwIfAborted();
      throw error;
    } finally {
      context.report = report;
    }
    before += weight;
    report(overallProgress(before / total));
  }
}

/** For tests that show what the order is good for: bootable before anything of it was written out and read back. */
function activatedEarly(steps: readonly InstallStep[]): readonly InstallStep[] {
  const rest = steps.filter(({ kind }) => kind !== "activate-slot");
  const extracted = rest.findIndex(({ kind }) => kind === "extract-rootfs") + 1;
  const activation = steps.filter(({ kind }) => kind === "activate-slot");
  return [...rest.slice(0, extracted), ...activation, ...rest.slice(extracted)];
}
