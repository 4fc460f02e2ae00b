import type { Event, Reporter } from "../../format/events.ts";

/** Progress events with this word are about the whole plan; renderers make the time left of them. */
export const overallStep = "conversion";
const overallTotal = 1000;

/** `share`: 0 to 1, of the whole. */
export function overallProgress(share: number): Event {
  return {
    kind: "progress",
    step: overallStep,
    done: Math.round(share * overallTotal),
    total: overallTotal,
  };
}

/** Follows every progress event of a step with one of the whole. */
export function withOverall(report: Reporter, overall: (share: number) => number): Reporter {
  return (event) => {
    report(event);
    if (event.kind !== "progress" || event.total <= 0) return;
    report(overallProgress(overall(Math.min(1, event.done / event.total))));
  };
}
