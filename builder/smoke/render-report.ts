import { table } from "../render/table.ts";
import type { SmokeReport } from "./report.ts";

/** The report as tables for people. */
export function renderReport(report: SmokeReport): string[] {
  const { ramdisk, downtimeSeconds } = report;
  return [
    "",
    ...titled(
      ["stage", "seconds"],
      report.stages.map(({ name, seconds, outcome }) => [
        name,
        outcome === "failed" ? `${seconds.toFixed(1)}  FAILED` : seconds.toFixed(1),
      ]),
    ),
    ...(report.conversion
      ? [
          "",
          ...titled(
            ["step in the ramdisk", "seconds"],
            report.conversion.steps.map((step) => [step.title, step.seconds.toFixed(1)]),
          ),
        ]
      : []),
    ...(report.layout.length > 0
      ? [
          "",
          ...titled(
            ["layout", "", "found"],
            report.layout.map(({ item, value, holds }) => [item, holds ? "ok" : "WRONG", shorten(value)]),
          ),
        ]
      : []),
    ...(report.identity.length > 0
      ? [
          "",
          ...titled(
            ["identity", "", "old", "new"],
            report.identity.map(({ item, old, new: current, equal, accepted }) => [
              item,
              equal ? "equal" : accepted === undefined ? "DIFFERS" : "accepted",
              shorten(old),
              equal ? "same" : shorten(current),
            ]),
          ),
        ]
      : []),
    "",
    ...(downtimeSeconds === undefined
      ? []
      : [
          `downtime           ${downtimeSeconds.toFixed(1)} s (old system's last line to new system's login)`,
        ]),
    ...(ramdisk ? [`ramdisk peak       ${ramdisk.peakMiB} of ${ramdisk.totalMiB} MiB`] : []),
    `outcome            ${report.outcome}`,
    ...report.problems.map((problem) => `problem: ${problem}`),
  ];
}

const columnLimit = 60;

function shorten(text: string): string {
  return text.length > columnLimit ? `${text.slice(0, columnLimit - 1)}…` : text;
}

function titled(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return table([head, head.map((title) => "-".repeat(title.length)), ...rows]);
}
