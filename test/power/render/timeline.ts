import { firstEntry, phases } from "../log/phases.ts";
import { sectorBytes } from "../log/write-log.ts";
import type { Recording } from "../record/recording.ts";
import type { Outcome } from "../run/judge.ts";
import type { PointResult } from "../run/run-point.ts";

const colours: Record<Outcome, string> = {
  old: "#2f6fb4",
  converted: "#2a8a4f",
  rescue: "#d08700",
  different: "#cf222e",
  dead: "#cf222e",
  late: "#8250df",
};
const wordsOfUpgrade: Partial<Record<Outcome, string>> = {
  old: "slot A, equal to before",
  converted: "slot B, complete",
};
const words: Record<Outcome, string> = {
  old: "old system, equal to before",
  converted: "converted, identity equal",
  rescue: "rescue system",
  different: "another system",
  dead: "does not boot",
  late: "nothing within the time",
};
const lanes: readonly PointResult["kind"][] = ["switch", "boundary", "subset", "torn"];

const left = 92;
const width = 1500;
const lanesTop = 78;
const laneHeight = 20;
const mapTop = lanesTop + lanes.length * laneHeight + 18;
const mapHeight = 300;
/** Of the phases' names, about. */
const letterWidth = 8;
const flushTop = mapTop + mapHeight + 6;

/**
 * A conversion or an upgrade as a picture. From left to right the requests in the order in which the disk got them; down the disk's whole
 * length, each write a bar where it landed; below, a tick for each flush. Above, a dot for each point that was booted.
 */
export function renderTimeline(
  recording: Pick<Recording, "title" | "log" | "switches" | "diskBytes" | "grubenv">,
  results: readonly PointResult[],
): string {
  const { log, switches } = recording;
  const isUpgrade = recording.grubenv !== undefined;
  const told = (outcome: Outcome): string =>
    (isUpgrade ? wordsOfUpgrade[outcome] : undefined) ?? words[outcome];
  const from = firstEntry(switches);
  const x = (entry: number): number => left + ((entry - from) / (log.length - from)) * width;
  const y = (sector: number): number => mapTop + ((sector * sectorBytes) / recording.diskBytes) * mapHeight;
  const right = left + width;
  const starts = phases.flatMap((phase) => {
    const start = switches.starts[phase];
    return start === undefined ? [] : [{ phase, start: Math.max(start, from) }];
  });
  const bands = starts.map(({ phase, start }, index) => {
    const begin = x(start);
    const end = index + 1 < starts.length ? x(starts[index + 1]!.start) : right;
    // A short phase has its name above, where there is room for it.
    const y = end - begin > phase.length * letterWidth ? 62 : 42;
    const fill = index % 2 ? "#f6f8fa" : "#eaeff4";
    return `<rect x="${n(begin)}" y="46" width="${n(end - begin)}" height="${flushTop - 36}" fill="${fill}"/><text x="${n(begin + 4)}" y="${y}" font-weight="600">${phase}</text>`;
  });
  const entryWidth = Math.max(1.6, width / (log.length - from));
  const bar = (kind: "write" | "discard"): string =>
    log
      .map((entry, index) =>
        index < from || entry.kind !== kind
          ? ""
          : `M${n(x(index))} ${n(y(entry.sector))}v${n(Math.max(2, (entry.sectors * sectorBytes * mapHeight) / recording.diskBytes))}`,
      )
      .join("");
  const ticks = log
    .map((entry, index) => (index < from || entry.kind !== "flush" ? "" : `M${n(x(index))} ${flushTop}v7`))
    .join("");
  const switchLines = switches.deciding.map((entry, index) => {
    const name = index === 0 ? "first" : index === switches.deciding.length - 1 ? "last" : undefined;
    const line = `<path d="M${n(x(entry))} ${lanesTop - 10}V${flushTop + 7}" stroke="#cf222e" stroke-width="${name ? 1.4 : 0.6}" stroke-dasharray="3 2"/>`;
    const label = `<text x="${n(x(entry) + 4)}" y="${mapTop - 6}" fill="#cf222e">${name} switch</text>`;
    return name ? line + label : line;
  });
  const dots = results.map(
    (result) =>
      `<circle cx="${n(x(result.at))}" cy="${lanesTop + lanes.indexOf(result.kind) * laneHeight}" r="3.6" fill="${colours[result.outcome]}"><title>${result.point}: ${told(result.outcome)}</title></circle>`,
  );
  const laneNames = lanes.map(
    (lane, index) =>
      `<text x="${left - 8}" y="${lanesTop + index * laneHeight + 4}" text-anchor="end">${lane}</text>`,
  );
  const seen = (Object.keys(colours) as Outcome[]).filter((outcome) =>
    results.some((result) => result.outcome === outcome),
  );
  const legend = seen.map((outcome, index) => {
    const at = left + index * 260;
    const count = results.filter((result) => result.outcome === outcome).length;
    return `<circle cx="${at + 5}" cy="${flushTop + 36}" r="5" fill="${colours[outcome]}"/><text x="${at + 16}" y="${flushTop + 40}">${count} ${told(outcome)}</text>`;
  });
  const mebibytes = Math.round(recording.diskBytes / 2 ** 20);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right + 16} ${flushTop + 56}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${left}" y="26" font-size="17" font-weight="600">${results.length} power cuts in ${isUpgrade ? "an upgrade" : "a conversion"} (${escapeXml(recording.title)})</text>`,
    ...bands,
    ...laneNames,
    `<text x="${left - 8}" y="${mapTop + 10}" text-anchor="end">sector 0</text>`,
    `<text x="${left - 8}" y="${mapTop + mapHeight}" text-anchor="end">${mebibytes} MiB</text>`,
    `<text x="${left - 8}" y="${flushTop + 7}" text-anchor="end">flushes</text>`,
    `<path d="${bar("write")}" stroke="#32383f" stroke-width="${n(entryWidth)}" fill="none"/>`,
    `<path d="${bar("discard")}" stroke="#b6bec7" stroke-width="${n(entryWidth)}" fill="none"/>`,
    `<path d="${ticks}" stroke="#57606a" stroke-width="0.7" fill="none"/>`,
    ...switchLines,
    ...dots,
    ...legend,
    "</svg>",
    "",
  ].join("\n");
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
