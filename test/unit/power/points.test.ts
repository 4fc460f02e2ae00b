import fc from "fast-check";
import { expect, test } from "vitest";
import { splitEpochs } from "../../power/log/epochs.ts";
import { findSwitches, type Mark } from "../../power/log/phases.ts";
import type { LogEntry } from "../../power/log/write-log.ts";
import { choosePoints } from "../../power/points/choose-points.ts";
import { chooseSample } from "../../power/points/choose-sample.ts";
import { listPoints, type Point } from "../../power/points/points.ts";

const entryBytes = 1000;
/** `0` a write of 4 sectors elsewhere, `S` one of sector 0, `|` a flush. Entry i has its data at (i + 1) * entryBytes. */
function logOf(picture: string): LogEntry[] {
  return picture.split("").map((letter, index) => ({
    kind: letter === "|" ? "flush" : "write",
    sector: letter === "S" ? 0 : 100 + index,
    sectors: letter === "|" ? 0 : letter === "S" ? 1 : 4,
    isForced: false,
    dataOffset: (index + 1) * entryBytes,
  }));
}

function pointsOf(picture: string, marks: Record<string, number>, seed = "seed"): Point[] {
  const log = logOf(picture);
  const list = Object.entries(marks).map(([name, entry]) => ({
    name: name as Mark["name"],
    logBytes: entry * entryBytes + 1,
    atSeconds: 0,
  }));
  return listPoints({ log, epochs: splitEpochs(log), switches: findSwitches(log, list), seed });
}

//               0    5    10   15
const picture = "0|00|00|S0|00|0S|00|0|";
const marks = { "stage-1": 2, ramdisk: 5, "new-system": 16, committed: 19 };

test("phases begin at the marks, and at the writes of sector 0 exactly", () => {
  const points = pointsOf(picture, marks);
  const phasesOf = (kind: Point["kind"]): [number, string][] =>
    points.filter((point) => point.kind === kind).map(({ at, phase }) => [at, phase]);
  expect(phasesOf("boundary")).toEqual([
    [3, "stage 1"],
    [6, "ramdisk"],
    [9, "rewriting"],
    [12, "rewriting"],
    [18, "first boot"],
    [20, "committed"],
  ]);
  expect(new Set(points.map(({ name }) => name)).size).toBe(points.length);
});

test("around a write of sector 0 every neighbour is there: without it, it alone, up to it, all but it", () => {
  const keptAt = (epoch: number): number[][] =>
    pointsOf(picture, marks)
      .filter((point) => point.kind === "switch" && point.epoch === epoch)
      .map(({ kept }) => kept);
  expect(keptAt(3)).toEqual([[8], [9]]);
  expect(keptAt(5)).toEqual([[14], [15], [14, 15]]);
});

test("sector 0 written outside of the ramdisk is no switch", () => {
  expect(
    pointsOf("S|0|S|0|", { "stage-1": 0, ramdisk: 2, "new-system": 2 }).map(({ kind }) => kind),
  ).not.toContain("switch");
});

test("a resumed conversion is rewriting from its first entry on", () => {
  expect(pointsOf("00|0|S|", { ramdisk: 0 }).map(({ phase }) => phase)).not.toContain("stage 1");
});

test("any log: a point keeps writes of its epoch only, in order, none twice, and tears within a write", () => {
  const letters = fc.string({ unit: fc.constantFrom("0", "S", "|"), minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(letters, fc.nat(60), fc.string(), (text, at, seed) => {
      const log = logOf(text);
      const epochs = splitEpochs(log);
      for (const { epoch, kept, torn } of pointsOf(
        text,
        { "stage-1": 0, ramdisk: at, "new-system": 60 },
        seed,
      )) {
        const { writes } = epochs[epoch]!;
        expect(kept).toEqual(writes.filter((write) => kept.includes(write)));
        if (!torn) continue;
        expect(kept).toContain(torn.entry);
        expect(torn.sectors).toBeGreaterThan(0);
        expect(torn.sectors).toBeLessThan(log[torn.entry]!.sectors);
      }
    }),
  );
});

test("no commit block of a journal is torn: the tear goes before it", () => {
  const log: LogEntry[] = [
    { kind: "write", sector: 0, sectors: 24, isForced: false, dataOffset: 0, commits: [8] },
  ];
  const tears = Array.from({ length: 200 }, (_, seed) =>
    listPoints({ log, epochs: splitEpochs(log), switches: findSwitches(log, []), seed: String(seed) }),
  ).flatMap((points) => points.flatMap(({ torn }) => torn?.sectors ?? []));
  expect([...new Set(tears)].toSorted((one, other) => one - other)).toEqual([
    ...Array.from({ length: 8 }, (_, index) => index + 1),
    ...Array.from({ length: 8 }, (_, index) => index + 16),
  ]);
});

test("the same seed gives the same points, another one others", () => {
  const long = "0000|".repeat(20);
  const of = (seed: string): string => JSON.stringify(pointsOf(long, { "stage-1": 0 }, seed));
  expect(of("a")).toBe(of("a"));
  expect(of("a")).not.toBe(of("b"));
});

test("a choice has the switches and something of each phase, in the log's order", () => {
  const points = pointsOf(picture, marks);
  const chosen = choosePoints(points, 11, "seed");
  expect(chosen).toHaveLength(11);
  expect(chosen.filter(({ kind }) => kind === "switch")).toHaveLength(5);
  expect(new Set(chosen.map(({ phase }) => phase)).size).toBe(5);
  expect(chosen).toEqual(points.filter((point) => chosen.includes(point)));
  expect(choosePoints(points, 1000, "seed")).toEqual(points);
});

test("the sample has the moments right before and after both switches, and seeded ones around them", () => {
  const text = "0|00|00|00|S|00|00|00|0|S|00|00|00|00|";
  const list = { "stage-1": 2, ramdisk: 8, "new-system": 26, committed: 32 };
  const log = logOf(text);
  const marksOf = Object.entries(list).map(([name, entry]) => ({
    name: name as Mark["name"],
    logBytes: entry * entryBytes + 1,
    atSeconds: 0,
  }));
  const switches = findSwitches(log, marksOf);
  expect(switches.deciding).toEqual([11, 24]);
  const sample = chooseSample(pointsOf(text, list), switches, "seed");
  const at = sample.map((point) => point.at);
  for (const moment of [9, 11, 22, 24]) expect(at).toContain(moment);
  expect(new Set(sample.map(({ phase }) => phase))).toEqual(
    new Set(["stage 1", "ramdisk", "rewriting", "first boot", "committed"]),
  );
  expect(sample).toEqual(chooseSample(pointsOf(text, list), switches, "seed"));
});
