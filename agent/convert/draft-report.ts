import { UserError, type Problem } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import type { ConversionReport } from "../../format/report.ts";
import type { MemoryPeak } from "./memory-peak.ts";

/** report.json in the making: listens to what happens. */
export interface Draft {
  listen: Reporter;
  notes: string[];
  release: string;
  diskChanged: boolean;
  report: (outcome: ConversionReport["outcome"], error?: unknown) => ConversionReport;
}

export function createDraft(memory: MemoryPeak): Draft {
  const steps: ConversionReport["steps"] = [];
  const draft: Draft = {
    notes: [],
    release: "unknown",
    diskChanged: false,
    listen: (event) => {
      if (event.kind === "finished")
        steps.push({ step: event.step, title: event.title, seconds: event.seconds, outcome: "finished" });
      if (event.kind === "failed")
        steps.push({ step: event.step, title: event.title, seconds: 0, outcome: "failed" });
    },
    report: (outcome, error) => ({
      format: 1,
      outcome,
      release: draft.release,
      problems: error === undefined ? [] : problemsOf(error),
      steps: [...steps],
      diskChanged: draft.diskChanged,
      notes: [...draft.notes],
      ramdisk: memory.read(),
      identity: [],
    }),
  };
  return draft;
}

function problemsOf(error: unknown): Problem[] {
  if (error instanceof UserError) return [...error.problems];
  const message = error instanceof Error ? error.message : String(error);
  return [{ code: "stage2-failed", message, hint: "See conversion.log beside this report." }];
}
