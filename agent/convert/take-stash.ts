import { join } from "node:path";
import { userError } from "../../format/errors.ts";
import { reportStep } from "../../format/events.ts";
import type { Session } from "../ramdisk/session.ts";
import { findStashOnDisk } from "./find-stash-on-disk.ts";
import { freeModules } from "./free-modules.ts";
import { findOldRoot, mountReadOnly, releaseOldRoot, type OldRoot } from "./old-root.ts";
import { takeFromDisk } from "./take-from-disk.ts";
import { copyStashToMemory, findStash, hasStashInMemory, openStashInMemory } from "./take-to-memory.ts";
import type { TakenStash } from "./taken-stash.ts";

export interface StashSource {
  taken: TakenStash;
  /** SHA-256 of package files that were measured as they were copied, by name. */
  measured?: ReadonlyMap<string, string> | undefined;
}

/** Disk mode: what lies on the disk, small files copied. Ram mode: all of it, copied from the old filesystem. */
export async function takeStash(
  session: Session,
  onOldRoot: (oldRoot: OldRoot) => void,
): Promise<StashSource> {
  const { run, report, words } = session;
  const { stashAt, stashSha256, recordAt } = words;
  if (stashAt && stashSha256) {
    const title = "Find the package on the disk";
    return reportStep(report, { step: "take-stash", title }, async () => ({
      taken: await takeFromDisk(
        await findStashOnDisk(session, { range: stashAt, sha256: stashSha256, recordAt }),
      ),
    }));
  }
  const { place, sha256 } = ramModeWords(words);
  let measured: ReadonlyMap<string, string> | undefined;
  if (!(await hasStashInMemory())) {
    const title = "Take the package to memory";
    measured = await reportStep(report, { step: "take-stash", title }, async () => {
      const oldRoot = await findOldRoot(run, place.filesystemUuid);
      onOldRoot(oldRoot);
      const top = await mountReadOnly(run, oldRoot);
      const found = await findStash(join(top, place.folder), sha256);
      await freeModules(session, found.manifest, found.stash);
      const digests = await copyStashToMemory(found, report);
      await releaseOldRoot(run, oldRoot);
      return digests;
    });
  }
  return { taken: await openStashInMemory(sha256), measured };
}

function ramModeWords({ stash, stashSha256 }: Session["words"]): {
  place: NonNullable<typeof stash>;
  sha256: string;
} {
  if (stash && stashSha256) return { place: stash, sha256: stashSha256 };
  throw userError({
    code: "stash-word-missing",
    message: "The kernel command line names no stash (dualroot.stash=, dualroot.stash_sha256=).",
    hint: "Start the conversion with upgrade.sh, which writes it.",
  });
}
