import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseUpgradeSample } from "./points/choose-upgrade-sample.ts";
import { listPoints } from "./points/points.ts";
import { openRecording, type Recording } from "./record/recording.ts";
import { upgradeRecording } from "./record/upgrade-recording.ts";
import { sweepProgress } from "./render/progress.ts";
import type { PointResult } from "./run/run-point.ts";
import { sweep } from "./run/sweep.ts";

/** Another one for other moments; `npm run test:power -- --upgrade` has them all. */
const seed = process.env["DUALROOT_POWER_SEED"] ?? "sample";
let folder: string;
let recording: Recording;
let results: PointResult[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-upgrade-sample-"));
  recording = await openRecording(await upgradeRecording());
  const points = chooseUpgradeSample(listPoints({ ...recording, seed }), recording.switches, seed);
  process.stderr.write(`power: seed ${seed}\n`);
  const onResult = sweepProgress(points.length, 2);
  results = await sweep({ recording, points, folder, key: seed, parallel: 2, onResult });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const describe = ({ point, phase, outcome, detail }: PointResult): string =>
  `${point} in ${phase}: ${outcome}, ${detail}`;

test("until the activation a cut leaves the slot that runs, equal to before", () => {
  const [, activated] = recording.switches.deciding;
  const before = results.filter(({ at }) => at < activated!);
  expect(before.length).toBe(2);
  expect(before.filter(({ outcome }) => outcome !== "old").map(describe)).toEqual([]);
});

test("from the activation on it ends in the other slot, complete and committed", () => {
  const [, activated] = recording.switches.deciding;
  const after = results.filter(({ at }) => at >= activated!);
  expect(after.length).toBe(2);
  expect(after.filter(({ outcome }) => outcome !== "converted").map(describe)).toEqual([]);
});
