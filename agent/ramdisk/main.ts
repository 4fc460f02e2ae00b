import { mkdir, readFile, writeFile } from "node:fs/promises";
import { exitCodeOf, exitCodes } from "../../format/errors.ts";
import { fanOut, type Reporter } from "../../format/events.ts";
import { createConsoleProgress } from "../render/console-progress.ts";
import { describeError } from "../render/describe-error.ts";
import { createLogFile } from "../render/log-file.ts";
import { overallStep } from "../steps/execute-plan.ts";
import { createRun } from "../system/run.ts";
import { parseCommandLine } from "./command-line.ts";
import { openConsoles } from "./consoles.ts";
import { loadModules } from "./load-modules.ts";
import type { Mode, Session } from "./session.ts";

/** The word after `dualroot.mode=` and what it does, one folder each. */
const modes: Record<string, () => Promise<Mode>> = {
  convert: async () => (await import("../convert/convert.ts")).convert,
  rescue: async () => (await import("../rescue/rescue.ts")).rescue,
};

const logFile = "/run/dualroot/log";

/** The ramdisk's main program, started by /init. */
export async function ramdisk(): Promise<number> {
  await mkdir("/run/dualroot", { recursive: true });
  const writeLine = openConsoles();
  const report = fanOut([createLogFile(logFile), createConsoleProgress({ writeLine, overallStep })]);
  const tell = (...lines: string[]): void => {
    for (const message of lines) report({ kind: "note", level: "info", message });
  };
  // Nothing that goes wrong unseen may end this process in the middle of a step.
  process.on("unhandledRejection", (reason) => logOnly(report, "unhandled rejection", reason));
  process.on("uncaughtException", (error) => logOnly(report, "uncaught exception", error));
  try {
    return await runMode(report, tell);
  } catch (error) {
    tell(...describeError(error));
    return exitCodeOf(error);
  }
}

async function runMode(report: Reporter, tell: Session["tell"]): Promise<number> {
  // Errors of the kernel only: its chatter would tear our lines apart.
  await writeFile("/proc/sys/kernel/printk", "4\n").catch(() => {});
  const words = parseCommandLine(await readFile("/proc/cmdline", "utf8"));
  // No udev here: device-mapper makes its nodes itself.
  const run = createRun(report, { DM_DISABLE_UDEV: "1" });
  const load = modes[words.mode];
  if (load === undefined) {
    tell(`dualroot: this ramdisk has no mode "${words.mode}"; it knows ${Object.keys(modes).join(", ")}.`);
    return exitCodes.usage;
  }
  tell(`dualroot: ramdisk started, mode ${words.mode}.`);
  await loadModules(run);
  const mode = await load();
  return mode({ words, run, report, tell, logFile });
}

function logOnly(report: Reporter, what: string, reason: unknown): void {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  report({ kind: "detail", message: `${what}: ${text}` });
}
