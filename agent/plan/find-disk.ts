import type { Problem } from "../../format/errors.ts";
import { formatSize } from "../../format/sizes.ts";
import type { Stash } from "../../format/stash.ts";
import type { DiskFacts } from "../facts/facts.ts";
import { deriveUuid } from "./derive-uuid.ts";

/**
 * The disk that stage 1 chose, found again under another kernel: names may change, size and table do not. The table may be
 * the one this very stash makes, when stage 2 starts a second time. Serial numbers decide between clones.
 */
export function findDisk(
  stash: Pick<Stash, "disk" | "seed">,
  disks: readonly DiskFacts[],
): { disk: DiskFacts } | { problem: Problem } {
  const wanted = stash.disk;
  const accepted = [wanted.tableId?.toLowerCase(), deriveUuid(stash.seed, "disk")];
  let found = disks.filter(
    (disk) =>
      disk.sizeBytes === wanted.sizeBytes &&
      (wanted.tableId === undefined || accepted.includes(disk.tableId?.toLowerCase())),
  );
  const sameSerial = found.filter((disk) => disk.serial === wanted.serial);
  if (found.length > 1 || wanted.tableId === undefined) found = sameSerial;
  const [disk, another] = found;
  if (disk && !another) return { disk };
  const description = `${wanted.name} (${formatSize(wanted.sizeBytes)}, table ${wanted.tableId ?? "unknown"}, serial ${wanted.serial ?? "unknown"})`;
  const seen = disks
    .map((each) => `${each.name} (${formatSize(each.sizeBytes)}, table ${each.tableId ?? "none"})`)
    .join(", ");
  if (another) {
    return {
      problem: {
        code: "disk-ambiguous",
        message: `More than one disk looks like ${description}: ${found.map((each) => each.name).join(", ")}.`,
        hint: "Detach the copy of the disk and start again.",
      },
    };
  }
  return {
    problem: {
      code: "disk-not-found",
      message: `The disk to convert, ${description}, is not there; seen: ${seen || "no disk at all"}.`,
      hint: "Check that its driver works in the ramdisk, and that no disk was exchanged since stage 1.",
    },
  };
}

/** What the stash records of a disk so that `findDisk` finds it again. */
export function describeForStash(disk: DiskFacts): Stash["disk"] {
  const { name, sizeBytes, serial, tableId } = disk;
  return {
    name,
    sizeBytes,
    ...(serial === undefined ? {} : { serial }),
    ...(tableId === undefined ? {} : { tableId }),
  };
}
