import { appendFileSync, statSync } from "node:fs";
import type { Event, Reporter } from "../../format/events.ts";

/** The log lies in memory and is copied to disks: a tool gone wild must not fill either. */
const logMaxBytes = 8 * 1024 * 1024;

/** Every event as a line with seconds since start; written at once, so that it is there when the machine is not. */
export function createLogFile(path: string, now: () => number = () => performance.now() / 1000): Reporter {
  let size = sizeOf(path);
  return (event) => {
    const text = describe(event);
    if (text === undefined || size > logMaxBytes) return;
    const stamp = now().toFixed(3).padStart(9);
    const lines = text
      .split("\n")
      .map((line) => `${stamp} ${line}\n`)
      .join("");
    size += Buffer.byteLength(lines);
    appendFileSync(path, size > logMaxBytes ? `${stamp} The log is full.\n` : lines, { mode: 0o600 });
  };
}

/** Progress is left out: the steps' seconds are there. */
function describe(event: Event): string | undefined {
  switch (event.kind) {
    case "started":
      return `== ${event.number === undefined ? "" : `${event.number}/${event.of ?? "?"} `}${event.title}`;
    case "finished":
      return `== ${event.title}: finished in ${event.seconds.toFixed(2)} s`;
    case "failed":
      return `== ${event.title}: FAILED: ${event.message}`;
    case "note":
      return `${event.level}: ${event.message}`;
    case "detail":
      return event.message;
    case "progress":
      return undefined;
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
