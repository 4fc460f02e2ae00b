import { beforeAll, expect, test } from "vitest";
import { chooseUpgradeSample } from "./points/choose-upgrade-sample.ts";
import { upgradeRecording } from "./record/upgrade-recording.ts";
import type { Recording } from "./record/recording.ts";
import { describePoint, runSample } from "./run-sample.ts";
import type { PointResult } from "./run/run-point.ts";

let recording: Recording;
let results: PointResult[];

beforeAll(async () => {
  ({ recording, results } = await runSample(await upgradeRecording(), chooseUpgradeSample));
});

test("until the activation a cut leaves the slot that runs, equal to before", () => {
  const [, activated] = recording.switches.deciding;
  const before = results.filter(({ at }) => at < activated!);
  expect(before.length).toBe(2);
  expect(before.filter(({ outcome }) => outcome !== "old").map(describePoint)).toEqual([]);
});

test("from the activation on it ends in the other slot, complete and committed", () => {
  const [, activated] = recording.switches.deciding;
  const after = results.filter(({ at }) => at >= activated!);
  expect(after.length).toBe(2);
  expect(after.filter(({ outcome }) => outcome !== "converted").map(describePoint)).toEqual([]);
});
