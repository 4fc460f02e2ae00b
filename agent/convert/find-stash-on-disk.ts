import { open } from "node:fs/promises";
import { sha256Hex } from "../../format/digest.ts";
import { userError } from "../../format/errors.ts";
import type { Stash } from "../../format/stash.ts";
import { devicePath, readDisks } from "../facts/block-devices.ts";
import { openTree } from "../facts/tree.ts";
import { findDisk } from "../plan/find-disk.ts";
import type { ByteRange } from "../plan/step.ts";
import type { Session } from "../ramdisk/session.ts";
import type { StashPlace } from "../stash/stash-place.ts";
import { waitUntil } from "../system/wait-until.ts";
import { protectDisks } from "./old-root.ts";
import { parseStash } from "./taken-stash.ts";

/** USB and SAS disks may take that long to appear. */
const searchSeconds = 60;
const notDisks = /^(ram|loop|dm-|md|sr|fd|zram|nbd)/;

export interface StashOnDisk {
  stash: Stash;
  place: StashPlace;
}

/** Reads the place on every disk until the bytes with that digest show up, then makes sure that it is the disk stage 1 meant. */
export async function findStashOnDisk(
  { run, report }: Pick<Session, "run" | "report">,
  range: ByteRange,
  sha256: string,
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
    return found.size > 0;
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

/** Device paths. */
export async function wholeDisks(): Promise<string[]> {
  const names = await openTree("/").list("/sys/block");
  return names.filter((name) => !notDisks.test(name)).map((name) => devicePath(name));
}

/** undefined when the disk ends before. */
export async function readPlace(
  disk: string,
  { startBytes, sizeBytes }: ByteRange,
): Promise<Buffer | undefined> {
  const file = await open(disk, "r");
  try {
    const bytes = Buffer.alloc(sizeBytes);
    const { bytesRead } = await file.read(bytes, 0, sizeBytes, startBytes);
    return bytesRead === sizeBytes ? bytes : undefined;
  } finally {
    await file.close();
  }
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
