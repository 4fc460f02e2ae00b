import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { splitEpochs, type Epoch } from "../log/epochs.ts";
import { findSwitches, findUpgradeSwitches, markNames, type Mark, type Switches } from "../log/phases.ts";
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
  /** Of an upgrade: where grubenv lies on the disk, in sectors. */
  grubenv: z.int().optional(),
  marks: z.array(
    z.strictObject({
      name: z.enum(markNames),
      logBytes: z.int(),
      atSeconds: z.number(),
    }),
  ),
});

export type RecordingDescription = z.infer<typeof recordingSchema>;

/** A conversion or an upgrade that ran once with all its writes recorded, as it lies in a folder. */
export interface Recording extends ReplaySource {
  title: string;
  diskBytes: number;
  seconds: number;
  reference: Reference;
  marks: readonly Mark[];
  log: readonly LogEntry[];
  epochs: readonly Epoch[];
  switches: Switches;
  /** Only of an upgrade. */
  grubenv?: number;
}

export async function openRecording(folder: string): Promise<Recording> {
  const { grubenv, ...description } = recordingSchema.parse(
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
      ...(grubenv === undefined
        ? { switches: findSwitches(log, description.marks) }
        : { grubenv, switches: findUpgradeSwitches(log, description.marks, grubenv) }),
    };
  } finally {
    await file.close();
  }
}
