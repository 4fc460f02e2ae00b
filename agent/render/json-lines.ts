import type { Reporter } from "../../format/events.ts";

/** One event per line, for programs. */
export function createJsonLines(writeLine: (line: string) => void): Reporter {
  return (event) => writeLine(JSON.stringify(event));
}
