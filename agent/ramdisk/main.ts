import { mkdir, readFile, writeFile } from "node:fs/promises";
import { exitCodeOf, exitCodes } from "../../format/errors.ts";
import { fanOut, type Reporter } from "../../format/events.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { armedCommandLine, isDiskChanged } from "../convert/disk-changed.ts";
import { createConsoleProgress } from "../render/console-progress.ts";
import { describeError } from "../render/describe-error.ts";
import { createLogFile } from "../render/log-file.ts";
import { overallStep } from "../steps/overall-progress.ts";
import { restart } from "../system/restart.ts";
import { createRun } from "../system/run.ts";
import { parseCommandLine } from "./command-line.ts";
import { openConsoles } from "./consoles.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { loadModules } from "./load-modules.ts";
import type { Mode, Session } from "./session.ts";

/** The word after `dualroot.mode=` and what it does, one folder each. */
const modes: Record<string, () => Promise<Mode>> = {
  convert: async () => (await import("../convert/convert.ts")).convert,
  boot: async () => (await import("../boot-slot/boot-slot.ts")).bootSlot,
  rescue: async () => (await import("../rescue/rescue.ts")).rescue,
};

const readingMs = 10_000;
const logFile = "/run/dualroot/log";

/** The ramdisk's main program, started by /init. */
export async function ramdisk(): Promise<number> {
  await mkdir("/run/dualroot", { recursive: true });
  const writeLine = openConsoles();
  const report = fanOut([createLogFile(logFile), createConsoleProgress({ writeLine, overallStep })]);
  const tell = (...lines: string[]): void => {
    for (const message of lines) report({ kind: "note", level: "info", message });
  };
  try {
    return await Promise.race([runMode(report, tell), strayFailure(report)]);
  } catch (error) {
    tell("", "dualroot: the ramdisk's program stopped.", ...describeError(error));
    const commandLine = await readCommandLine();
    if (/\bdualroot\.resume=1\b/.test(commandLine)) {
      const { failAfterArming } = await import("../convert/after-arming.ts");
      return await failAfterArming(openSession(commandLine, report, tell), error, undefined);
    }
    if (!isDiskChanged() && /\bdualroot\.mode=convert\b/.test(commandLine)) {
      tell("Nothing was written to the disk. The old system starts again now.");
      await sleep(readingMs);
      await restart(createRun(report));
    }
    return exitCodeOf(error);
  }
}

/** Rejects on what no code waits for: it would else end this process in the middle of a step, or leave it waiting for ever. */
function strayFailure(report: Reporter): Promise<never> {
  return new Promise((_, reject) => {
    process.on("uncaughtException", reject);
    process.on("unhandledRejection", (reason) =>
      report({ kind: "detail", message: `unhandled rejection: ${String(reason)}` }),
    );
  });
}

async function runMode(report: Reporter, tell: Session["tell"]): Promise<number> {
  // Errors of the kernel only: its chatter would tear our lines apart.
  await writeFile("/proc/sys/kernel/printk", "4\n").catch(() => {});
  const session = openSession(await readCommandLine(), report, tell);
  const { words, run } = session;
  const load = modes[words.mode];
  if (load === undefined) {
    tell(`dualroot: this ramdisk has no mode "${words.mode}"; it knows ${Object.keys(modes).join(", ")}.`);
    return exitCodes.usage;
  }
  tell(`dualroot: ramdisk started, mode ${words.mode}.`);
  startHeartbeat();
  await loadModules(run);
  const mode = await load();
  return mode(session);
}

/** Once the disk boots the resume loader, a second start in this ramdisk does what a reset would. */
async function readCommandLine(): Promise<string> {
  return (armedCommandLine() ?? (await readFile("/proc/cmdline", "utf8"))).trim();
}

function openSession(commandLine: string, report: Reporter, tell: Session["tell"]): Session {
  // No udev here: device-mapper makes its nodes itself.
  // /sbin and /bin are for programs started inside the target, where they may not be links into /usr.
  const run = createRun(report, { DM_DISABLE_UDEV: "1", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
  return { words: parseCommandLine(commandLine), commandLine, run, report, tell, logFile };
}
