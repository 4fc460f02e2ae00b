import { StepError, UserError } from "../../format/errors.ts";

const stderrLines = 5;

/** What went wrong and what to do, in lines for a person. The stack is for the log alone. */
export function describeError(error: unknown): string[] {
  if (error instanceof UserError) {
    return error.problems.flatMap(({ message, hint, where, code }) => [
      `${message}${where === undefined ? "" : ` (${where})`}`,
      `  -> ${hint} [${code}]`,
    ]);
  }
  if (error instanceof StepError) {
    const tail = (error.stderrTail ?? "").trim().split("\n").filter(Boolean).slice(-stderrLines);
    return [error.message, ...tail.map((line) => `  | ${line}`), `  -> ${error.hint}`];
  }
  if (error instanceof Error && "syscall" in error) {
    return [error.message, "  -> A file could not be read or written; dmesg may say why."];
  }
  return [
    `Our mistake: ${error instanceof Error ? error.message : String(error)}`,
    "  -> Please report it together with the log.",
  ];
}
