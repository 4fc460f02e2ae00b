import { log } from "@clack/prompts";
import type { WriteStream } from "node:tty";
import type { Reporter } from "../../format/events.ts";
import { percent } from "./progress-plain.ts";

const barColumns = 24;
const millisecondsBetweenDraws = 100;
const clearLine = "\r\u001b[2K";

/**
 * One living line for what is being done, one lasting line for what was. clack draws the lasting ones; its own spinner is not
 * used because it takes over Ctrl-C, which here has to remove half a package.
 */
export function terminalProgress(output: WriteStream): Reporter {
  const titles = new Map<string, string>();
  let lastDraw = 0;
  const draw = (text: string) =>
    output.write(`${clearLine}${text.slice(0, Math.max(20, output.columns - 1))}`);
  const lasting = (print: () => void) => {
    output.write(clearLine);
    print();
  };
  return (event) => {
    if (event.kind === "started") {
      titles.set(event.step, event.title);
      draw(`◇  ${event.title} ...`);
    } else if (event.kind === "progress") {
      if (performance.now() - lastDraw < millisecondsBetweenDraws) return;
      lastDraw = performance.now();
      const filled = Math.round((percent(event) / 100) * barColumns);
      draw(
        `◇  ${"█".repeat(filled)}${"░".repeat(barColumns - filled)} ${percent(event)} %  ${titles.get(event.step) ?? event.step}`,
      );
    } else if (event.kind === "finished")
      lasting(() => log.success(`${event.title} (${event.seconds.toFixed(1)} s)`, { output, spacing: 0 }));
    else if (event.kind === "failed") lasting(() => log.error(event.title, { output, spacing: 0 }));
    else if (event.kind === "note")
      lasting(() => (event.level === "warn" ? log.warn : log.info)(event.message, { output, spacing: 0 }));
  };
}
