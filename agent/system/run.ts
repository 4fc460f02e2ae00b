import { execa } from "execa";
import type { Readable } from "node:stream";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";

export interface RunOptions {
  input?: string | Uint8Array | Readable;
  env?: Record<string, string>;
  cwd?: string;
  timeoutSeconds?: number;
  /** Exit codes besides 0 that are answers, not failures. */
  acceptExitCodes?: readonly number[];
  /** Lower-level reason shown to a person when it fails. */
  hint?: string;
}

export interface RunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

const tailBytes = 2000;

/** The one place that starts processes. Every argv and its output goes to the log as a `detail` event. */
export function createRun(report: Reporter, baseEnvironment: Record<string, string> = {}): Run {
  return async (command, args, options = {}) => {
    const shown = [command, ...args].join(" ");
    report({ kind: "detail", message: `$ ${shown}` });
    const result = await execa(command, args, {
      reject: false,
      stripFinalNewline: false,
      env: { LC_ALL: "C", ...baseEnvironment, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000 }),
      ...inputOption(options.input),
    });
    for (const text of [result.stdout, result.stderr]) {
      if (text) report({ kind: "detail", message: text.trimEnd().slice(-tailBytes) });
    }
    const exitCode = result.exitCode ?? -1;
    if (exitCode !== 0 && !(options.acceptExitCodes ?? []).includes(exitCode)) {
      throw new StepError(
        result.timedOut
          ? `${command} gave no result within ${options.timeoutSeconds} s`
          : result.code === "ENOENT"
            ? `${command} is not installed`
            : `${command} failed with exit code ${exitCode}`,
        {
          command: shown,
          stderrTail: (result.stderr ?? "").slice(-tailBytes),
          cause: result.cause,
          ...(options.hint === undefined ? {} : { hint: options.hint }),
        },
      );
    }
    return { exitCode, stdout: result.stdout ?? "", stderr: result.stderr ?? "" };
  };
}

function inputOption(input: RunOptions["input"]): object {
  if (input === undefined) return { stdin: "ignore" };
  if (typeof input === "string" || input instanceof Uint8Array) return { input };
  return { stdin: input };
}
