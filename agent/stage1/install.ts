import { exitCodes } from "../../format/errors.ts";
import { beGentle } from "../install/be-gentle.ts";
import { describeInstallPlan } from "../install/plan/describe-install-plan.ts";
import type { InstallPlan } from "../install/plan/install-step.ts";
import { runInstall } from "../install/run-install.ts";
import { leftOut } from "../system/safeguards.ts";
import { readBootId } from "./attempt.ts";
import { restartGateway } from "./boot/restart-gateway.ts";
import { confirm } from "./confirm.ts";
import type { StageOneContext } from "./context.ts";
import { watchForInterruption } from "./interruption.ts";
import { acquireLock } from "./lock.ts";
import { renderCheckTable } from "./render/check-table.ts";
import { problemsOf } from "./render/failure.ts";
import { installWords } from "./render/install-lines.ts";
import { describePackage } from "./render/package-lines.ts";
import { planFromInstallSurvey, surveyInstall, type InstallSurvey } from "./survey-install.ts";

const interrupted = {
  message: "Interrupted before the other slot was made bootable.",
  hint: "The slot that runs is untouched and boots as before. Start again when you like.",
};

/** Checks, asks, and puts the release into the other slot while services run. The running slot is never touched. */
export async function install(context: StageOneContext): Promise<number> {
  const { args, report, run, say, answer } = context;
  const { command } = args;
  const release = await acquireLock();
  const { signal } = watchForInterruption(interrupted);
  try {
    if (args.gentle) say([await beGentle(run), ""]);
    const survey = await surveyInstall(context);
    say([...describePackage(survey), "", ...renderCheckTable(survey.checks, "upgraded"), ""]);
    if (survey.checks.some(({ verdict }) => verdict === "fail")) {
      answer({ command, outcome: "refused", release: survey.release, checks: survey.checks }, []);
      return exitCodes.refused;
    }
    const plan = planFromInstallSurvey(survey);
    say([...describeInstallPlan(plan).slice(0, 1), ""]);
    signal.throwIfAborted();
    if (!args.assumeYes && !(await confirm(question(plan), signal, command))) {
      answer({ command, outcome: "declined" }, ["Nothing was changed."]);
      return exitCodes.interrupted;
    }
    const begin = performance.now();
    const done = await runInstall({
      ...optionsOf(context, survey, plan),
      installedBy: "upgrade",
      bootId: await readBootId(),
      report,
      signal,
    });
    const seconds = Math.round((performance.now() - begin) / 1000);
    const restartAt = args.restartAt ?? "later";
    const notRestarted = await restartGateway(restartAt, plan.slot, run);
    const { outcome, identity } = done;
    answer(
      {
        command,
        outcome,
        release: plan.release,
        from: plan.from,
        running: plan.running,
        slot: plan.slot,
        restartAt: notRestarted === undefined ? restartAt : "later",
        ...(notRestarted === undefined ? {} : { notRestarted }),
        seconds,
        identity,
      },
      installWords(done, { running: plan.running, restartAt, notRestarted, seconds }),
    );
    return exitCodes.success;
  } finally {
    await release();
  }
}

/** What an upgrade by this program and one for another have in common. */
export function optionsOf(
  { args, say }: StageOneContext,
  { manifest, facts, identity, key }: InstallSurvey,
  plan: InstallPlan,
): Pick<
  Parameters<typeof runInstall>[0],
  "plan" | "manifest" | "facts" | "identity" | "packageFolder" | "runtimeFolder" | "without" | "problemsOf"
> {
  const names = process.env["DUALROOT_WITHOUT"]?.split(",") ?? [];
  return {
    plan,
    manifest,
    facts,
    identity,
    packageFolder: args.packageFolder,
    runtimeFolder: args.runtimeFolder,
    without: leftOut(names, key.role, (...lines) => say(lines)),
    problemsOf,
  };
}

function question({ device, slot }: InstallPlan): string {
  return `Everything on ${device} (slot ${slot}) is replaced. Type yes to go on: `;
}
