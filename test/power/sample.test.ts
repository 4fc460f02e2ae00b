import { beforeAll, expect, test } from "vitest";
import { chooseSample } from "./points/choose-sample.ts";
import { conversionRecording } from "./record/conversion-recording.ts";
import type { Recording } from "./record/recording.ts";
import { describePoint, runSample } from "./run-sample.ts";
import type { PointResult } from "./run/run-point.ts";

let recording: Recording;
let results: PointResult[];

beforeAll(async () => {
  ({ recording, results } = await runSample(await conversionRecording({ stack: "ext4" }), chooseSample));
});

test("before the switch a cut leaves the old system, equal to before", () => {
  const [armed] = recording.switches.deciding;
  const before = results.filter(({ at }) => at < armed!);
  expect(before.length).toBeGreaterThanOrEqual(4);
  expect(before.filter(({ outcome }) => outcome !== "old").map(describePoint)).toEqual([]);
});

test("from the switch on a cut ends in the converted system, with the identity of the old one", () => {
  const [armed] = recording.switches.deciding;
  const after = results.filter(({ at }) => at >= armed!);
  expect(after.length).toBeGreaterThanOrEqual(8);
  expect(after.filter(({ outcome }) => outcome !== "converted").map(describePoint)).toEqual([]);
});

test("the sample has the moments around both switches, and cuts that needed a resume", () => {
  const { deciding } = recording.switches;
  const at = results.map((result) => result.at);
  expect(at).toContain(deciding[0]);
  expect(at).toContain(deciding.at(-1));
  expect(results.filter(({ ramdisks }) => ramdisks > 0).length).toBeGreaterThanOrEqual(4);
  expect(results.filter(({ phase }) => phase === "first boot").length).toBeGreaterThanOrEqual(2);
});
