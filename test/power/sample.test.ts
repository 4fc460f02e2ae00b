import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseSample } from "./points/choose-sample.ts";
import { listPoints } from "./points/points.ts";
import { conversionRecording } from "./record/conversion-recording.ts";
import { openRecording, type Recording } from "./record/recording.ts";
import { sweepProgress } from "./render/progress.ts";
import type { PointResult } from "./run/run-point.ts";
import { sweep } from "./run/sweep.ts";

/** Another one for other moments; `npm run test:power` has them all. */
const seed = process.env["DUALROOT_POWER_SEED"] ?? "sample";
let folder: string;
let recording: Recording;
let results: PointResult[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-sample-"));
  recording = await openRecording(await conversionRecording({ stack: "ext4" }));
  const points = chooseSample(listPoints({ ...recording, seed }), recording.switches, seed);
  process.stderr.write(`power: seed ${seed}\n`);
  const onResult = sweepProgress(points.length, 2);
  results = await sweep({ recording, points, folder, key: seed, parallel: 2, onResult });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const describe = ({ point, phase, outcome, detail }: PointResult): string =>
  `${point} in ${phase}: ${outcome}, ${detail}`;

test("before the switch a cut leaves the old system, equal to before", () => {
  const [armed] = recording.switches.deciding;
  const before = results.filter(({ at }) => at < armed!);
  expect(before.length).toBeGreaterThanOrEqual(4);
  expect(before.filter(({ outcome }) => outcome !== "old").map(describe)).toEqual([]);
});

test("from the switch on a cut ends in the converted system, with the identity of the old one", () => {
  const [armed] = recording.switches.deciding;
  const after = results.filter(({ at }) => at >= armed!);
  expect(after.length).toBeGreaterThanOrEqual(8);
  expect(after.filter(({ outcome }) => outcome !== "converted").map(describe)).toEqual([]);
});

test("the sample has the moments around both switches, and cuts that needed a resume", () => {
  const { deciding } = recording.switches;
  const at = results.map((result) => result.at);
  expect(at).toContain(deciding[0]);
  expect(at).toContain(deciding.at(-1));
  expect(results.filter(({ ramdisks }) => ramdisks > 0).length).toBeGreaterThanOrEqual(4);
  expect(results.filter(({ phase }) => phase === "first boot").length).toBeGreaterThanOrEqual(2);
});
