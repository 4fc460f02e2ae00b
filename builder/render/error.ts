import { exitCodeOf, StepError, UserError } from "../../format/errors.ts";

/** Prints an error where it ends: problems with hints, a failed step with the end of its output, or our bug with its stack. */
export function renderError(error: unknown, { json }: { json: boolean }): void {
  if (json) process.stdout.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`);
  process.stderr.write(`${errorLines(error).join("\n")}\n`);
}

export function errorLines(error: unknown): string[] {
  if (error instanceof UserError) {
    return error.problems.flatMap(({ message, hint, where, code }) => [
      `dualroot: ${where === undefined ? "" : `${where}: `}${message}`,
      `  ${hint} [${code}]`,
    ]);
  }
  if (error instanceof StepError) {
    return [
      `dualroot: ${error.message}`,
      ...(error.command === undefined ? [] : [`  command: ${error.command.slice(0, 500)}`]),
      ...(error.stderrTail
        ? error.stderrTail
            .trimEnd()
            .split("\n")
            .slice(-15)
            .map((line) => `  | ${line}`)
        : []),
      `  ${error.hint}`,
    ];
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    "dualroot: this is our bug, please report it with the lines below",
    ...text.split("\n").map((line) => `  ${line}`),
  ];
}

function errorDocument(error: unknown): object {
  const exitCode = exitCodeOf(error);
  if (error instanceof UserError) return { ok: false, exitCode, problems: error.problems };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof StepError)
    return {
      ok: false,
      exitCode,
      failed: { message, command: error.command, stderr: error.stderrTail, hint: error.hint },
    };
  return { ok: false, exitCode, bug: { message, stack: error instanceof Error ? error.stack : undefined } };
}
