/** One finding a person can act on: what is wrong, where, and what to do. */
export interface Problem {
  /** Stable word for scripts and tests, e.g. `memory-too-small`. Listed in docs/refusals.md. */
  code: string;
  /** One sentence: what is wrong, with the values that differ ("needs 512 MiB, has 256 MiB"). */
  message: string;
  /** What the reader can do about it. */
  hint: string;
  /** File, line and key, device, or path, where that helps: `release.yaml:12 layout.volumes[0].size`. */
  where?: string;
}

/** Documented in docs/exit-codes.md; scripts rely on these numbers. */
export const exitCodes = {
  success: 0,
  internal: 1,
  usage: 2,
  badInput: 3,
  refused: 4,
  stepFailed: 5,
  untrusted: 6,
  busy: 7,
  interrupted: 130,
} as const;

export type ExitCodeName = keyof typeof exitCodes;

/** The user's to mend: bad input, a refusal, a missing permission. Nothing was changed. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly problems: readonly Problem[];
  readonly exit: ExitCodeName;

  constructor(problems: readonly Problem[], exit: ExitCodeName = "badInput", options?: ErrorOptions) {
    super(problems.map((problem) => problem.message).join("\n"), options);
    this.problems = problems;
    this.exit = exit;
  }
}

/** Shorthand for a refusal with one problem. */
export function userError(
  problem: Problem,
  exit: ExitCodeName = "badInput",
  options?: ErrorOptions,
): UserError {
  return new UserError([problem], exit, options);
}

/** A command or a step did not do what it should: the machine's, the medium's, or the environment's. */
export class StepError extends Error {
  override readonly name = "StepError";
  readonly hint: string;
  readonly command: string | undefined;
  readonly stderrTail: string | undefined;

  constructor(
    message: string,
    details: { hint?: string; command?: string; stderrTail?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.hint = details.hint ?? "See the log for the full output.";
    this.command = details.command;
    this.stderrTail = details.stderrTail;
  }
}

/** Our bug: a state the code says cannot be. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Is it the operating system's word for one of these, such as `ENOENT`? */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code)
  );
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return exitCodes[error.exit];
  if (error instanceof StepError) return exitCodes.stepFailed;
  return exitCodes.internal;
}
