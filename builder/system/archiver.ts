import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { StepError } from "../../format/errors.ts";

/** Nothing of whoever builds enters: not his language, his time zone, or his options. */
const environment = { LC_ALL: "C", TZ: "UTC", XZ_OPT: "", XZ_DEFAULTS: "", TAR_OPTIONS: "" };

export interface Archiver {
  child: ChildProcess;
  ended: Promise<unknown>;
  succeeded: () => Promise<void>;
}

/** Starts tar or xz with pipes at all three ends. */
export function startArchiver(command: readonly string[]): Archiver {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-2000)));
  child.stdin.on("error", () => {
    // The exit code says why the other end was closed.
  });
  let startError: Error | undefined;
  const ended = once(child, "close").catch((error: Error) => (startError = error));
  return {
    child,
    ended,
    succeeded: async () => {
      await ended;
      if (startError === undefined && child.exitCode === 0) return;
      const reason = startError
        ? "cannot be started; is it installed?"
        : `failed with ${child.exitCode === null ? `signal ${child.signalCode}` : `exit code ${child.exitCode}`}`;
      throw new StepError(`${program} ${reason}`, {
        command: command.join(" "),
        stderrTail: stderr,
        hint: /file changed as we read it/.test(stderr)
          ? "The source changed while it was read: build from a folder that nobody writes to."
          : "See the output above.",
        cause: startError,
      });
    },
  };
}
