import { reportStep, type Reporter } from "../../format/events.ts";
import type { SmokeReport } from "./report.ts";

export type Stage = <T>(name: string, title: string, work: () => Promise<T>) => Promise<T>;

/** Tells the reader about each stage, and notes its seconds in the report. */
export function stageRecorder(result: SmokeReport, report: Reporter): Stage {
  return async (name, title, work) => {
    const begin = performance.now();
    let outcome: "finished" | "failed" = "failed";
    try {
      const value = await reportStep(report, { step: name, title }, work);
      outcome = "finished";
      return value;
    } finally {
      result.stages.push({ name, seconds: round((performance.now() - begin) / 1000), outcome });
    }
  };
}

export function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
