import { phases } from "../log/phases.ts";
import type { Outcome } from "../run/judge.ts";
import type { PointResult } from "../run/run-point.ts";

export const outcomes: readonly Outcome[] = ["old", "converted", "rescue", "different", "dead", "late"];

/** Markdown: outcomes by phase, then every point that did not end as promised, then all. */
export function renderTable(title: string, seed: string, results: readonly PointResult[]): string {
  const count = (phase: string, outcome: Outcome): string =>
    String(results.filter((result) => result.phase === phase && result.outcome === outcome).length || "");
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const red = results.filter(({ outcome }) => outcome !== "old" && outcome !== "converted");
  return [
    `# Power cuts: ${title}`,
    "",
    `${results.length} points, seed \`${seed}\`, ${red.length} not as promised, ${(seconds / Math.max(1, results.length)).toFixed(0)} s each.`,
    "",
    `| cut in | ${outcomes.join(" | ")} |`,
    `| --- |${outcomes.map(() => " ---: |").join("")}`,
    ...phases
      .filter((phase) => results.some((result) => result.phase === phase))
      .map((phase) => `| ${phase} | ${outcomes.map((outcome) => count(phase, outcome)).join(" | ")} |`),
    ...(red.length > 0 ? ["", "## Not as promised", "", ...pointRows(red)] : []),
    "",
    "## All points",
    "",
    ...pointRows(results),
    "",
  ].join("\n");
}

function pointRows(results: readonly PointResult[]): string[] {
  return [
    "| point | cut in | write | outcome | ramdisks | seconds | seen |",
    "| --- | --- | ---: | --- | ---: | ---: | --- |",
    ...results.map(
      ({ point, phase, at, outcome, ramdisks, seconds, detail }) =>
        `| ${point} | ${phase} | ${at} | ${outcome} | ${ramdisks} | ${seconds} | ${detail.replaceAll("|", "\\|")} |`,
    ),
  ];
}
