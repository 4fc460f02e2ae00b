import type { Reporter } from "../../format/events.ts";
import type { Run } from "../system/run.ts";
import type { StageOneArguments } from "./arguments.ts";
import type { Places } from "./places.ts";

/** What every command of stage 1 may use. */
export interface StageOneContext {
  args: StageOneArguments;
  places: Places;
  /** Runs programs, the bundled ones first. */
  run: Run;
  /** Progress, for the screen and (convert, cancel) the log. */
  report: Reporter;
  /** Lines for people on the way; silent with --json. */
  say: (lines: readonly string[]) => void;
  /** The command's answer: lines for people, or with --json the value. */
  answer: (value: unknown, lines: readonly string[]) => void;
}
