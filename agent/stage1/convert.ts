import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCodes, InternalError } from "../../format/errors.ts";
import { chooseBootMethod, type BootMethod } from "../checks/boot-method.ts";
import { describeDisk } from "../plan/describe-plan.ts";
import type { BootWish } from "./arguments.ts";
import { readBootId } from "./attempt.ts";
import { leaveOldSystem } from "./boot/reboot.ts";
import { confirm } from "./confirm.ts";
import type { StageOneContext } from "./context.ts";
import { watchForInterruption } from "./interruption.ts";
import { acquireLock } from "./lock.ts";
import { prepare } from "./prepare.ts";
import { renderCheckTable } from "./render/check-table.ts";
import { lastWords } from "./render/last-words.ts";
import { describePackage } from "./render/package-lines.ts";
import { describePreparation } from "./render/preparation.ts";
import { planFromSurvey, surveyGateway, type Survey } from "./survey.ts";
import { undoPreparation } from "./undo.ts";

/** Checks, asks, prepares, and boots the ramdisk once. Until the reboot is ordered, every way out takes everything back. */
export async function convert(context: StageOneContext): Promise<number> {
  const { args, places, run, answer, say } = context;
  const release = await acquireLock();
  const interruption = watchForInterruption();
  const { signal } = interruption;
  const handedOver = join(args.runtimeFolder, "handed-over");
  try {
    const survey = await surveyGateway(context);
    say([...describePackage(survey), "", ...renderCheckTable(survey.checks), ""]);
    const method = chooseOrRefuse(survey, args.boot);
    if (!method) {
      answer({ command: "convert", outcome: "refused", release: survey.release, checks: survey.checks }, []);
      return exitCodes.refused;
    }
    const plan = planFromSurvey(survey);
    say([...describeDisk(plan), "", ...describePreparation(method, survey.stashMode.mode, places.stash), ""]);
    signal.throwIfAborted();
    if (!args.assumeYes && !(await confirm(question(plan.disk, args.rehearse), signal))) {
      answer({ command: "convert", outcome: "declined" }, ["Nothing was changed."]);
      return exitCodes.interrupted;
    }
    try {
      const stash = await prepare(context, survey, method, signal);
      signal.throwIfAborted();
      interruption.ignoreFromNow();
      // upgrade.sh leaves the runtime in place for the shutdown; the next start of upgrade.sh removes it.
      await writeFile(handedOver, await readBootId());
      say(lastWords(survey, method, args.rehearse));
      await leaveOldSystem(method, run);
      answer(
        { command: "convert", outcome: "handed-over", release: survey.release, bootMethod: method, stash },
        [],
      );
      return exitCodes.success;
    } catch (error) {
      await rm(handedOver, { force: true });
      await undoPreparation(places, run);
      throw error;
    }
  } finally {
    await release();
  }
}

/** None when a check failed; the table says which. */
function chooseOrRefuse(survey: Survey, wish: BootWish): BootMethod | undefined {
  if (survey.checks.some(({ verdict }) => verdict === "fail")) return undefined;
  const { method } = chooseBootMethod(survey.manifest, survey.facts, wish);
  if (!method) throw new InternalError("the checks passed without a way to boot the ramdisk");
  return method;
}

function question(disk: string, rehearse: boolean): string {
  return rehearse
    ? "The gateway will reboot into the ramdisk, rehearse, and come back unchanged. Type yes to go on: "
    : `${disk} will be rewritten as shown above. Type yes to go on: `;
}
