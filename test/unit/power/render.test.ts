import { expect, test } from "vitest";
import type { LogEntry } from "../../power/log/write-log.ts";
import { renderTable } from "../../power/render/summary.ts";
import { renderTimeline } from "../../power/render/timeline.ts";
import type { PointResult } from "../../power/run/run-point.ts";

const results: PointResult[] = [
  {
    point: "1-boundary-0",
    kind: "boundary",
    phase: "stage 1",
    at: 1,
    outcome: "old",
    detail: "OLD-SYSTEM 1",
    seconds: 10,
    ramdisks: 0,
  },
  {
    point: "2-switch-0",
    kind: "switch",
    phase: "rewriting",
    at: 2,
    outcome: "dead",
    detail: "grub | rescue>",
    seconds: 20,
    ramdisks: 0,
  },
];
const log: LogEntry[] = [
  { kind: "write", sector: 10, sectors: 100, isForced: false, dataOffset: 0 },
  { kind: "flush", sector: 0, sectors: 0, isForced: false, dataOffset: 0 },
  { kind: "write", sector: 0, sectors: 1, isForced: false, dataOffset: 0 },
];

test("the table counts by phase, and lists what did not end as promised by itself", () => {
  const text = renderTable("ext4", "seed", results);
  expect(text).toContain("2 points, seed `seed`, 1 not as promised, 15 s each.");
  expect(text).toContain("| stage 1 | 1 |  |  |  |  |  |");
  const red = text.slice(text.indexOf("## Not as promised"), text.indexOf("## All points"));
  expect(red).toContain("2-switch-0");
  expect(red).toContain("grub \\| rescue>");
  expect(red).not.toContain("1-boundary-0");
});

test("the picture has a dot for each point, a line for each switch, and no loose ends", () => {
  const svg = renderTimeline(
    {
      title: "<ext4>",
      log,
      diskBytes: 1024 * 512,
      switches: { deciding: [2], starts: { "stage 1": 0, rewriting: 2 } },
    },
    results,
  );
  expect(svg.match(/<title>/g)).toHaveLength(2);
  expect(svg.match(/stroke-dasharray/g)).toHaveLength(1);
  expect(svg).toContain("&lt;ext4>");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
