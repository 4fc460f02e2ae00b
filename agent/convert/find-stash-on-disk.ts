import { sha256Hex } from "../../format/digest.ts";
import { userError } from "../../format/errors.ts";
import type { Stash } from "../../format/stash.ts";
import { readDisks } from "../facts/block-devices.ts";
import { openTree } from "../facts/tree.ts";
import { findDisk } from "../plan/find-disk.ts";
import type { ByteRange } from "../plan/step.ts";
import type { Session } from "../ramdisk/session.ts";
import type { StashPlace } from "../stash/stash-place.ts";
import { waitUntil } from "../system/wait-until.ts";
import { readPlace, wholeDisks } from "./disk-places.ts";
import { protectDisks } from "./old-root.ts";
import { findRecord } from "./resume-count.ts";
import { damaged, parseStash } from "./taken-stash.ts";

/** USB and SAS disks may take that long to appear. */
const searchSeconds = 60;

export interface StashOnDisk {
  stash: Stash;
  place: StashPlace;
}

/**
 * Reads the place on every disk until the bytes with that digest show up, then makes sure that it is the disk stage 1 meant.
 * `recordAt`: where the disk has its resume record; a disk that has one and not those bytes is not waited for.
 */
export async function findStashOnDisk(
  { run, report }: Pick<Session, "run" | "report">,
  { range, sha256, recordAt }: { range: ByteRange; sha256: string; recordAt?: number | undefined },
): Promise<StashOnDisk> {
  const found = new Map<string, Buffer>();
  await waitUntil(searchSeconds, async () => {
    await protectDisks(run, true);
    for (const disk of await wholeDisks()) {
      const bytes = await readPlace(disk, range).catch((error: unknown) =>
        report({
          kind: "detail",
          message: `${disk} cannot be read at ${range.startBytes}: ${String(error)}`,
        }),
      );
      if (bytes && sha256Hex(bytes) === sha256) found.set(disk, bytes);
    }
    if (found.size > 0 || recordAt === undefined) return found.size > 0;
    const record = await findRecord(recordAt);
    if (record) throw damaged(`stash.json on ${record.disk} was changed`);
    return false;
  });
  const [bytes] = found.values();
  if (bytes === undefined) throw notFound(range);
  const stash = parseStash(bytes);
  const disks = (await readDisks(openTree("/"), run)).filter(({ path }) => found.has(path));
  // A copy of the disk has the same bytes: then the serial number decides, or the table, which may be in any state.
  const candidates = disks.length === 1 ? disks : disks.filter(({ serial }) => serial === stash.disk.serial);
  const foundOn = candidates.length === 1 ? candidates[0]?.path : undefined;
  const verdict = findDisk({ ...stash, ...(foundOn ? { foundOn } : {}) }, disks);
  if ("problem" in verdict) throw userError(verdict.problem, "refused");
  return { stash, place: { disk: verdict.disk.path, range, sha256 } };
}

function notFound({ startBytes }: ByteRange): Error {
  return userError(
    {
      code: "stash-not-found",
      message: `No disk the ramdisk can see holds the stash at byte ${startBytes}.`,
      hint: "The ramdisk lacks the driver of this gateway's disk, or the old system has written over the stash.",
    },
    "refused",
  );
}
