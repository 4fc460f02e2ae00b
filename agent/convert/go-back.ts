import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConversionReport } from "../../format/report.ts";
import { syncPath, writeFileDurably } from "../system/files.ts";
import { describeError } from "../render/describe-error.ts";
import { restart } from "../system/restart.ts";
import type { Session } from "../ramdisk/session.ts";
import { findOldRoot, mountWritable, releaseOldRoot, type OldRoot } from "./old-root.ts";

/** Long enough for a person at the console, or a recorded log, to get the reason. */
const readingMs = 10_000;

/** Before the first write: leaves the reason where a person will find it, and boots the old system again. */
export async function goBack(
  session: Session,
  oldRoot: OldRoot | undefined,
  report: ConversionReport,
): Promise<void> {
  const { tell, run, words } = session;
  try {
    // In disk mode nobody has needed it so far.
    const root = oldRoot ?? (words.stash && (await findOldRoot(run, words.stash.filesystemUuid)));
    if (root) await saveOnOldRoot(session, root, report);
  } catch (error) {
    tell("The report could not be written to the old system:", ...describeError(error));
  }
  tell("The disk was not converted. The old system starts again now.");
  await sleep(readingMs);
  await restart(session.run);
}

async function saveOnOldRoot(session: Session, oldRoot: OldRoot, report: ConversionReport): Promise<void> {
  const { run, words, tell, logFile } = session;
  const top = await mountWritable(run, oldRoot);
  // The folder beside the stash: /var/lib/dualroot.
  const folder = join(top, dirname(words.stash?.folder ?? "/var/lib/dualroot/stash"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileDurably(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`, 0o600);
  await copyFile(logFile, join(folder, "conversion.log"));
  await syncPath(folder);
  await releaseOldRoot(run, oldRoot);
  tell(
    "The reason is in /var/lib/dualroot/report.json of the old system, the log in conversion.log beside it.",
  );
}
