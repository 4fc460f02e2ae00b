import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes } from "../../format/errors.ts";
import { failuresAtMost, whyGiveUp, type ResumeRecord } from "../boot/resume-record.ts";
import { targetFolder } from "../plan/plan-mounts.ts";
import { parseCommandLine } from "../ramdisk/command-line.ts";
import type { Session } from "../ramdisk/session.ts";
import { describeError } from "../render/describe-error.ts";
import { rescueWith, type RescueKnowledge } from "../rescue/rescue.ts";
import { unmountBelow } from "../system/mounts.ts";
import { restart } from "../system/restart.ts";
import { armedCommandLine } from "./disk-changed.ts";
import { protectDisks } from "./old-root.ts";
import { changeRecord, findRecord, type RecordPlace } from "./resume-count.ts";

/** Long enough for a person at the console, or a recorded log, to get the reason. */
const readingMs = 10_000;
/** Tells /init that the agent ended for good, so that it does not restart the machine. */
const rescueMarker = "/run/dualroot/rescue";

/**
 * A failure when the disk boots the resume loader: counts it, and restarts, which begins stage 2 from the top; the third time
 * it becomes the rescue system. `record`: where the count is kept, if that is known.
 */
export async function failAfterArming(
  session: Session,
  error: unknown,
  record: RecordPlace | undefined,
  knowledge: Omit<RescueKnowledge, "reason"> = {},
): Promise<number> {
  const { tell, run } = session;
  const counted = await countFailure(session, error, record);
  if (counted === "unwritable")
    return giveUp(session, "The conversion failed, and the disk cannot be written any more.", knowledge);
  const why = counted && whyGiveUp(counted);
  if (why !== undefined) return giveUp(session, why, knowledge);
  tell(
    counted
      ? `This was failure ${counted.failures} of at most ${failuresAtMost}.`
      : "The disk with the stash is not there, so this failure was not counted.",
    "The machine starts again now, and the conversion from the top.",
  );
  await sleep(readingMs);
  await restart(run);
  return exitCodes.stepFailed;
}

/** Becomes the rescue system; what a half done run still holds is let go first. */
export async function giveUp(
  session: Session,
  why: string,
  knowledge: Omit<RescueKnowledge, "reason">,
): Promise<number> {
  const { run, tell } = session;
  await writeFile(rescueMarker, "");
  await unmountBelow(run, targetFolder).catch((error: unknown) => tell(...describeError(error)));
  return rescueWith(session, { ...knowledge, reason: [why] });
}

/** undefined: the disk that the record lies on is not there. */
async function countFailure(
  { run, tell, words }: Session,
  error: unknown,
  known: RecordPlace | undefined,
): Promise<ResumeRecord | "unwritable" | undefined> {
  const lastFailure = error instanceof Error ? error.message : String(error);
  try {
    await protectDisks(run, false);
    // In the first run only the loader's own words have it.
    const recordAt = words.recordAt ?? parseCommandLine(armedCommandLine() ?? "").recordAt;
    const record = known ?? (recordAt === undefined ? undefined : await findRecord(recordAt));
    if (record === undefined) return undefined;
    return await changeRecord(record, (before) => ({
      ...before,
      failures: before.failures + 1,
      lastFailure,
    }));
  } catch (error) {
    tell("The resume record cannot be written:", ...describeError(error));
    return "unwritable";
  }
}
