import { StepError, UserError, type Problem } from "../../../format/errors.ts";

/** An error as problems a person can act on. */
export function problemsOf(error: unknown): Problem[] {
  if (error instanceof UserError) return [...error.problems];
  if (error instanceof StepError) {
    const tail = error.stderrTail?.trim();
    return [
      {
        code: "step-failed",
        message: tail ? `${error.message}: ${tail}` : error.message,
        hint: error.hint,
        ...(error.command === undefined ? {} : { where: error.command }),
      },
    ];
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    { code: "internal", message: `dualroot has a bug: ${message}`, hint: "Send this text to your supplier." },
  ];
}

export function renderProblems(problems: readonly Problem[]): string[] {
  return problems.flatMap(({ code, message, hint, where }) => [
    `upgrade.sh: ${message}`,
    ...(where === undefined ? [] : [`  where: ${where}`]),
    `  hint: ${hint}`,
    `  code: ${code}`,
  ]);
}
