import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { splitEpochs, type Epoch } from "../log/epochs.ts";
import { findSwitches, type Mark, type Switches } from "../log/phases.ts";
import { readWriteLog, type LogEntry } from "../log/write-log.ts";
import type { ReplaySource } from "../points/disk-at-point.ts";
import type { Reference } from "../run/judge.ts";

export const recordingFiles = {
  start: "start.img",
  log: "writes.log",
  description: "recording.json",
  console: "console.log",
} as const;

export const recordingSchema = z.strictObject({
  format: z.literal(1),
  /** What it is a recording of, for people. */
  title: z.string(),
  diskBytes: z.int(),
  seconds: z.number(),
  reference: z.strictObject({ old: z.string(), converted: z.string() }),
  marks: z.array(
    z.strictObject({
      name: z.enum(["stage-1", "ramdisk", "new-system", "committed"]),
      logBytes: z.int(),
      atSeconds: z.number(),
    }),
  ),
});

export type RecordingDescription = z.infer<typeof recordingSchema>;

/** A conversion that ran once with all its writes recorded, as it lies in a folder. */
export interface Recording extends ReplaySource {
  title: string;
  diskBytes: number;
  seconds: number;
  reference: Reference;
  marks: readonly Mark[];
  log: readonly LogEntry[];
  epochs: readonly Epoch[];
  switches: Switches;
}

export async function openRecording(folder: string): Promise<Recording> {
  const description = recordingSchema.parse(
    JSON.parse(await readFile(join(folder, recordingFiles.description), "utf8")),
  );
  const logFile = join(folder, recordingFiles.log);
  const file = await open(logFile, "r");
  try {
    const log = await readWriteLog(file, (await stat(logFile)).size, description.diskBytes);
    return {
      ...description,
      startImage: join(folder, recordingFiles.start),
      logFile,
      log,
      epochs: splitEpochs(log),
      switches: findSwitches(log, description.marks),
    };
  } finally {
    await file.close();
  }
}
