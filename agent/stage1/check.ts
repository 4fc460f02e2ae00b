import { exitCodes } from "../../format/errors.ts";
import { checkInstall } from "./check-install.ts";
import type { StageOneContext } from "./context.ts";
import { isDualSystem } from "./dual-system.ts";
import { renderCheckTable } from "./render/check-table.ts";
import { describePackage } from "./render/package-lines.ts";
import { surveyGateway } from "./survey.ts";

/** Is this gateway ready? Prints every check; changes nothing. */
export async function check(context: StageOneContext): Promise<number> {
  if (await isDualSystem(context.places)) return checkInstall(context);
  const survey = await surveyGateway(context);
  const ready = survey.checks.every(({ verdict }) => verdict !== "fail");
  context.answer(
    {
      command: "check",
      outcome: ready ? "ready" : "refused",
      release: survey.release,
      signedBy: { ...survey.key, trustedBy: survey.keyRing.source },
      checks: survey.checks,
      stash: survey.stashMode,
      // `dualroot plan PACKAGE --disk ANSWER.json` plans for this gateway from it.
      facts: survey.facts,
    },
    [...describePackage(survey), "", ...renderCheckTable(survey.checks)],
  );
  return ready ? exitCodes.success : exitCodes.refused;
}
