import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listPoints, type Point } from "./points/points.ts";
import { openRecording, type Recording } from "./record/recording.ts";
import { sweepProgress } from "./render/progress.ts";
import type { PointResult } from "./run/run-point.ts";
import { sweep } from "./run/sweep.ts";

/** `DUALROOT_POWER_SEED` chooses other moments; `npm run test:power` has them all. */
const seed = process.env["DUALROOT_POWER_SEED"] ?? "sample";

/** Boots the few points of a recording that `npm test` asks about. */
export async function runSample(
  recordingFolder: string,
  choose: (all: readonly Point[], switches: Recording["switches"], seed: string) => Point[],
): Promise<{ recording: Recording; results: PointResult[] }> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-sample-"));
  try {
    const recording = await openRecording(recordingFolder);
    const points = choose(listPoints({ ...recording, seed }), recording.switches, seed);
    process.stderr.write(`power: seed ${seed}\n`);
    const onResult = sweepProgress(points.length, 2);
    return {
      recording,
      results: await sweep({ recording, points, folder, key: seed, parallel: 2, onResult }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One point, for a failed expectation. */
export function describePoint({ point, phase, outcome, detail }: PointResult): string {
  return `${point} in ${phase}: ${outcome}, ${detail}`;
}
