import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRun } from "../../../agent/system/run.ts";
import type { Drive } from "../../../builder/vm/description.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { silent } from "../../../format/events.ts";
import { conversionMarks } from "../log/phases.ts";
import { hopeless, type Reference } from "../run/judge.ts";
import { tinyMachine } from "../run/tiny-machine.ts";
import { recordingFiles, type RecordingDescription } from "./recording.ts";
import { watchConsole } from "./watch-console.ts";

const run = createRun(silent);
/** Of a whole conversion on an emulated processor that others use too. */
const limitSeconds = 2400;

export interface RecordingInput {
  title: string;
  /** The disk as it is when the machine is switched on. */
  disk: string;
  /** The package's disk, for a conversion that begins with stage 1. */
  media?: string;
  /** Known already where the recording begins in the middle. */
  reference?: Reference;
}

/** Runs the machine to the new system's end with every write of its disk recorded, and fills the folder. */
export async function makeRecording(input: RecordingInput, folder: string): Promise<RecordingDescription> {
  const start = join(folder, recordingFiles.start);
  const work = join(folder, "work.img");
  const log = join(folder, recordingFiles.log);
  for (const copy of [start, work]) await run("cp", ["--sparse=always", "--reflink=auto", input.disk, copy]);
  await writeFile(log, "");
  const media: Drive[] =
    input.media === undefined
      ? []
      : [{ file: input.media, format: "raw", readOnly: true, serial: "media", disposable: true }];
  const { marks, lines, onLine } = watchConsole(conversionMarks, log);
  const begin = performance.now();
  const machine = await launch(tinyMachine({ file: work, filter: { kind: "record-writes", log } }, media), {
    accelerator: "tcg",
    consoleLog: join(folder, recordingFiles.console),
    onLine,
  });
  try {
    const stuck = machine.console.waitFor(hopeless, limitSeconds).catch(() => undefined);
    await Promise.race([machine.ended(limitSeconds), stuck]);
  } finally {
    await machine.kill();
  }
  const old = lines.find((line) => line.includes("OLD-SYSTEM "))?.replace(/.*OLD-SYSTEM /, "");
  const converted = lines.findLast((line) => line.startsWith("NEW-SYSTEM slot="));
  const reference = { old: input.reference?.old ?? old, converted: input.reference?.converted ?? converted };
  if (reference.old === undefined || reference.converted === undefined || converted === undefined)
    throw new Error(`the conversion that was to be recorded did not end:\n${machine.console.tail(60)}`);
  if (converted !== reference.converted)
    throw new Error(`the recorded conversion ended as "${converted}", not as "${reference.converted}"`);
  await rm(work);
  const description: RecordingDescription = {
    format: 1,
    title: input.title,
    diskBytes: (await stat(start)).size,
    seconds: Math.round((performance.now() - begin) / 100) / 10,
    reference: { old: reference.old, converted },
    marks,
  };
  await writeFile(join(folder, recordingFiles.description), `${JSON.stringify(description, null, 2)}\n`);
  return description;
}
