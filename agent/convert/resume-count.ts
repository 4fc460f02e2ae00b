import { open } from "node:fs/promises";
import { resumeRecordBytes, stashSectorBytes } from "../../format/stash.ts";
import { encodeResumeRecord, parseResumeRecord, type ResumeRecord } from "../boot/resume-record.ts";
import type { Session } from "../ramdisk/session.ts";
import { readPlace, wholeDisks } from "./disk-places.ts";
import { protectDisks } from "./old-root.ts";
import type { TakenStash } from "./taken-stash.ts";

/** Where the resume record lies. */
export interface RecordPlace {
  disk: string;
  startBytes: number;
}

/** undefined in ram mode. */
export function recordPlaceOf({
  stash,
  place,
}: Pick<TakenStash, "stash" | "place">): RecordPlace | undefined {
  if (!place || !stash.space) return undefined;
  return { disk: place.disk, startBytes: stash.space.loader.startBytes };
}

/** Another start of stage 2 since the point of no return. `DUALROOT_AGAIN=1`: a person in the rescue system wants it from zero. */
export async function countStart({ run }: Pick<Session, "run">, place: RecordPlace): Promise<ResumeRecord> {
  await protectDisks(run, false);
  const isAgain = process.env["DUALROOT_AGAIN"] === "1";
  return changeRecord(place, (before) =>
    isAgain ? { starts: 1, failures: 0 } : { ...before, starts: before.starts + 1 },
  );
}

const empty: ResumeRecord = { starts: 0, failures: 0 };

/** What can be told of it: an unreadable one counts as empty. */
export async function readRecord({ disk, startBytes }: RecordPlace): Promise<ResumeRecord> {
  const bytes = await readPlace(disk, { startBytes, sizeBytes: resumeRecordBytes }).catch(() => undefined);
  return (bytes && parseResumeRecord(bytes)) ?? empty;
}

/** Changes the record on the medium, one sector in one write; what it says now. */
export async function changeRecord(
  place: RecordPlace,
  change: (record: ResumeRecord) => ResumeRecord,
): Promise<ResumeRecord> {
  const changed = change(await readRecord(place));
  const disk = await open(place.disk, "r+");
  try {
    await disk.write(encodeResumeRecord(changed), 0, stashSectorBytes, place.startBytes);
    await disk.sync();
  } finally {
    await disk.close();
  }
  return changed;
}

/** The record of the resume loader's own words, where stash.json cannot be read any more. */
export async function findRecord(startBytes: number): Promise<RecordPlace | undefined> {
  for (const disk of await wholeDisks()) {
    const bytes = await readPlace(disk, { startBytes, sizeBytes: stashSectorBytes }).catch(() => undefined);
    if (bytes && parseResumeRecord(bytes)) return { disk, startBytes };
  }
  return undefined;
}
