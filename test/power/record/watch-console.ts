import { statSync } from "node:fs";
import type { ConsoleLine } from "../../../builder/vm/serial-console.ts";
import type { Mark, MarkPatterns } from "../log/phases.ts";

export interface WatchedConsole {
  marks: Mark[];
  lines: string[];
  onLine: (line: ConsoleLine) => void;
}

/** Notes when each of the patterns is first seen: how long the log was then, and how long it took. */
export function watchConsole(patterns: MarkPatterns, log: string): WatchedConsole {
  const begin = performance.now();
  const marks: Mark[] = [];
  const lines: string[] = [];
  const onLine = ({ text }: ConsoleLine): void => {
    lines.push(text);
    for (const name of Object.keys(patterns) as Mark["name"][]) {
      if (!patterns[name]?.test(text) || marks.some((mark) => mark.name === name)) continue;
      const atSeconds = Math.round((performance.now() - begin) / 100) / 10;
      marks.push({ name, logBytes: statSync(log).size, atSeconds });
    }
  };
  return { marks, lines, onLine };
}
