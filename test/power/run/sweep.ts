import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import type { Point } from "../points/points.ts";
import type { Recording } from "../record/recording.ts";
import { scratchFolder } from "../scratch-folder.ts";
import { runPoint, type PointResult } from "./run-point.ts";

export interface SweepInput {
  recording: Recording;
  points: readonly Point[];
  /** For results and the consoles of points that ended as nothing that is promised. */
  folder: string;
  /** Recording and seed; results of another key are thrown away. */
  key: string;
  parallel: number;
  onResult: (result: PointResult) => void;
  signal?: AbortSignal;
}

/**
 * Boots every point, some at a time. Results are appended as they come: an interrupted sweep goes on where it stopped. A point that
 * was late is tried again by the next sweep: on a busy host that says more about the host than about the disk.
 */
export async function sweep(input: SweepInput): Promise<PointResult[]> {
  const { recording, folder } = input;
  await mkdir(folder, { recursive: true });
  const results = await readResults(folder, input.key);
  const known = new Set(results.map(({ point }) => point));
  const names = new Set(input.points.map(({ name }) => name));
  const waiting = input.points.filter(({ name }) => !known.has(name));
  const scratch = await scratchFolder();
  const disks = new DiskAtPoint(recording, scratch);
  let turn: Promise<string> = Promise.resolve("");
  // One image grows from point to point: they are built one at a time, in order.
  const buildAfter = async (earlier: Promise<unknown>, point: Point): Promise<string> => {
    await earlier;
    return disks.build(point);
  };
  const worker = async (): Promise<void> => {
    for (let point = waiting.shift(); point && !input.signal?.aborted; point = waiting.shift()) {
      turn = buildAfter(turn, point);
      const disk = await turn;
      const result = await runPoint(point, disk, recording.reference, join(folder, `${point.name}.log`));
      await rm(disk, { force: true });
      await appendFile(join(folder, resultsFile), `${JSON.stringify(result)}\n`);
      results.push(result);
      input.onResult(result);
    }
  };
  try {
    await Promise.all(Array.from({ length: input.parallel }, worker));
  } finally {
    await disks.close();
    await rm(scratch, { recursive: true, force: true });
  }
  return results.filter(({ point }) => names.has(point)).toSorted((one, other) => one.at - other.at);
}

const resultsFile = "results.jsonl";

async function readResults(folder: string, key: string): Promise<PointResult[]> {
  const keyFile = join(folder, "key");
  const read = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
  if ((await read(keyFile)) !== key) {
    await rm(join(folder, resultsFile), { force: true });
    await writeFile(keyFile, key);
  }
  const lines = (await read(join(folder, resultsFile))).split("\n").filter(Boolean);
  const results = lines.map((line) => JSON.parse(line) as PointResult);
  return results.filter(({ outcome }) => outcome !== "late");
}
