import type { Reporter } from "../../format/events.ts";

const secondsBetweenLines = 10;

/** One line per event, for logs of CI jobs; progress at most every ten seconds. */
export function plainProgress(
  print: (line: string) => void,
  now: () => number = () => performance.now() / 1000,
): Reporter {
  const titles = new Map<string, string>();
  let lastLine = now();
  return (event) => {
    if (event.kind === "detail") return;
    if (event.kind === "progress") {
      if (now() - lastLine < secondsBetweenLines || event.total === 0) return;
      print(`${titles.get(event.step) ?? event.step}: ${percent(event)} %`);
    } else if (event.kind === "started") {
      titles.set(event.step, event.title);
      print(`${event.title} ...`);
    } else if (event.kind === "finished") print(`${event.title}: done in ${event.seconds.toFixed(1)} s`);
    else if (event.kind === "failed") print(`${event.title}: failed`);
    else print(`${event.level === "warn" ? "warning: " : ""}${event.message}`);
    lastLine = now();
  };
}

export function percent({ done, total }: { done: number; total: number }): number {
  return total === 0 ? 0 : Math.min(100, Math.floor((100 * done) / total));
}
