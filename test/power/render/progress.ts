import { isPromised } from "../run/judge.ts";
import type { PointResult } from "../run/run-point.ts";

const barColumns = 24;

/** A line for each point, and on a terminal a bar with the time left. Standard error: standard output is the result's. */
export function sweepProgress(total: number, parallel: number): (result: PointResult) => void {
  const begin = performance.now();
  let done = 0;
  let red = 0;
  return (result) => {
    done += 1;
    if (!isPromised(result)) red += 1;
    const perPoint = (performance.now() - begin) / 1000 / done;
    const left = describeSeconds(perPoint * (total - done));
    const mark = isPromised(result) ? "ok " : "RED";
    const clear = process.stderr.isTTY ? "\r\u001b[2K" : "";
    process.stderr.write(
      `${clear}${mark} ${result.point.padEnd(18)} ${result.phase.padEnd(10)} ${result.outcome.padEnd(10)} ${result.seconds.toFixed(0).padStart(4)} s  (${done}/${total}, ${red} red, ${left} left)\n`,
    );
    if (!process.stderr.isTTY || done === total) return;
    const filled = Math.round((done / total) * barColumns);
    process.stderr.write(
      `${"█".repeat(filled)}${"░".repeat(barColumns - filled)} ${done}/${total}, ${parallel} at a time, ${left} left`,
    );
  };
}

function describeSeconds(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
