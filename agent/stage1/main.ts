import { exitCodeOf, UserError } from "../../format/errors.ts";
import { fanOut, silent, type Reporter } from "../../format/events.ts";
import { createConsoleProgress } from "../render/console-progress.ts";
import { createRun } from "../system/run.ts";
import { overallStep } from "../steps/overall-progress.ts";
import { adopt } from "./adopt.ts";
import { parseArguments, type StageOneArguments } from "./arguments.ts";
import { wrapBundledTools } from "./bundled-tools.ts";
import { cancel } from "./cancel.ts";
import { check } from "./check.ts";
import type { StageOneContext } from "./context.ts";
import { convert } from "./convert.ts";
import { isDualSystem } from "./dual-system.ts";
import { dryRun } from "./dry-run.ts";
import { install } from "./install.ts";
import { placesBelow, type Places } from "./places.ts";
import { problemsOf, renderProblems } from "./render/failure.ts";
import { survivesLostTerminal, writeLines } from "./render/output.ts";
import { openStageOneLog } from "./stage-one-log.ts";
import { rollback } from "./rollback.ts";
import { status } from "./status.ts";
import { upgrade } from "./upgrade.ts";

/** Stage 1, on the old system: `argv` is what follows `agent.mjs stage1`. Returns the exit code (docs/exit-codes.md). */
export async function stage1(argv: readonly string[]): Promise<number> {
  survivesLostTerminal();
  const json = argv.includes("--json");
  const places = placesBelow("/");
  let log = silent;
  try {
    const args = parseArguments(argv);
    log = await openLogFor(args, places);
    return await commandOf(args)(await createContext(args, places, log));
  } catch (error) {
    const problems = problemsOf(error);
    const lines = renderProblems(problems);
    for (const message of lines) log({ kind: "note", level: "warn", message });
    if (json)
      writeLines(process.stdout, [JSON.stringify({ outcome: outcomeOf(error), problems }, undefined, 2)]);
    else writeLines(process.stderr, lines);
    return exitCodeOf(error);
  }
}

function commandOf(args: StageOneArguments): (context: StageOneContext) => Promise<number> {
  if (args.dryRun) return dryRun;
  return { check, convert, install, upgrade, status, cancel, rollback, adopt }[args.command];
}

/** check, status and --dry-run leave no trace on the gateway, not even a log. */
async function openLogFor(args: StageOneArguments, places: Places): Promise<Reporter> {
  const converts = args.command === "convert" || args.command === "cancel" || args.command === "upgrade";
  // An upgrade of a dual system keeps its own log, beside its report.
  const writes = !args.dryRun && converts && !(await isDualSystem(places));
  return writes && process.getuid?.() === 0 ? openStageOneLog(places) : silent;
}

async function createContext(
  args: StageOneArguments,
  places: Places,
  log: Reporter,
): Promise<StageOneContext> {
  const screen = args.json
    ? silent
    : createConsoleProgress({ writeLine: (line) => writeLines(process.stderr, [line]), overallStep });
  const report = fanOut([screen, log]);
  const path = await wrapBundledTools(args.runtimeFolder, process.env["PATH"]);
  // Pipelines find their programs there.
  process.env["PATH"] = path;
  return {
    args,
    places,
    report,
    run: createRun(report, { PATH: path }),
    say: (lines) => {
      if (!args.json) writeLines(process.stdout, lines);
    },
    answer: (value, lines) =>
      writeLines(process.stdout, args.json ? [JSON.stringify(value, undefined, 2)] : lines),
  };
}

function outcomeOf(error: unknown): "refused" | "failed" {
  return error instanceof UserError ? "refused" : "failed";
}
