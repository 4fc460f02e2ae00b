import type { Reporter } from "../../format/events.ts";
import { plainProgress } from "./progress-plain.ts";
import { terminalProgress } from "./progress-terminal.ts";

/** Progress goes to standard error, so that standard output is the result alone, for people and for `--json`. */
export function createProgress(): Reporter {
  return process.stderr.isTTY
    ? terminalProgress(process.stderr)
    : plainProgress((line) => process.stderr.write(`${line}\n`));
}
