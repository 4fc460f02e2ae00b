import type { Reporter } from "../../format/events.ts";
import type { Run } from "../system/run.ts";
import type { RamdiskWords } from "./command-line.ts";

/** What a mode of the ramdisk has to work with. */
export interface Session {
  words: RamdiskWords;
  /** What the words were read from. */
  commandLine: string;
  run: Run;
  report: Reporter;
  /** Lines for the person in front of any console, and into the log. */
  tell: (...lines: string[]) => void;
  logFile: string;
}

/** Returns the agent's exit code; with anything but 0 /init says so beside the shell it offers. A mode that restarts the machine does not return. */
export type Mode = (session: Session) => Promise<number>;
