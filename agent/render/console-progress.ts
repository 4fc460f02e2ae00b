import type { Event, Reporter } from "../../format/events.ts";
import { formatDuration } from "./format-duration.ts";

/** No line about the same step sooner than this. A serial line is slow, and whoever reads its log later is a person. */
const quietSeconds = 5;
const titleColumns = 44;
/** Before this share of the whole is done, a guess of the time left would be noise. */
const guessFromShare = 0.1;

export interface ConsoleProgressOptions {
  writeLine: (line: string) => void;
  /** The word of progress events that are about the whole, for the time left. */
  overallStep: string;
  /** Seconds of a steady clock; tests give their own. */
  now?: () => number;
}

/** Plain lines, no cursor control: `[ 9/16] Unpack the new system   41 %   about 1 min 20 s left`. */
export function createConsoleProgress(options: ConsoleProgressOptions): Reporter {
  const { writeLine, overallStep } = options;
  const now = options.now ?? ((): number => performance.now() / 1000);
  let label = "";
  let lastLine = -Infinity;
  let begin: number | undefined;
  let overallShare = 0;

  const line = (text: string): void => {
    lastLine = now();
    writeLine(`${label.padEnd(titleColumns)}  ${text}`.trimEnd());
  };
  const timeLeft = (): string => {
    if (begin === undefined || overallShare < guessFromShare) return "";
    return `   about ${formatDuration(((now() - begin) * (1 - overallShare)) / overallShare)} left`;
  };

  return (event: Event): void => {
    switch (event.kind) {
      case "started":
        if (event.number !== undefined) begin ??= now();
        label = `${numberOf(event)}${event.title}`;
        line("");
        break;
      case "progress":
        if (event.step === overallStep) overallShare = event.done / event.total;
        else if (now() - lastLine >= quietSeconds) line(`${percent(event.done / event.total)}${timeLeft()}`);
        break;
      case "finished":
        if (event.seconds >= 1) line(`done in ${formatDuration(event.seconds)}${timeLeft()}`);
        break;
      case "failed":
        line(`FAILED: ${event.message}`);
        break;
      case "note":
        writeLine(event.level === "warn" ? `Note: ${event.message}` : event.message);
        break;
      case "detail":
        break;
    }
  };
}

function numberOf(event: { number?: number; of?: number }): string {
  if (event.number === undefined || event.of === undefined) return "";
  const of = String(event.of);
  return `[${String(event.number).padStart(of.length)}/${of}] `;
}

function percent(share: number): string {
  return `${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %`;
}
