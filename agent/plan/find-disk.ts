import type { Problem } from "../../format/errors.ts";
import { formatSize } from "../../format/sizes.ts";
import type { Stash } from "../../format/stash.ts";
import type { DiskFacts } from "../facts/facts.ts";
import { deriveUuid } from "./derive-uuid.ts";

/** Of the stash: which disk it is for. */
export interface WantedDisk extends Pick<Stash, "disk" | "seed"> {
  /** Device path of the disk whose bytes the stash was read from: its table may be in any state, and needs not be known. */
  foundOn?: string;
}

/**
 * The disk that stage 1 chose, found again under another kernel: names may change, size and table do not. The table may be
 * the one this very stash makes, when stage 2 starts a second time. Serial numbers decide between clones.
 */
export function findDisk(
  stash: WantedDisk,
  disks: readonly DiskFacts[],
): { disk: DiskFacts } | { problem: Problem } {
  const wanted = stash.disk;
  if (stash.foundOn !== undefined) {
    const disk = disks.find(({ path }) => path === stash.foundOn);
    if (disk && disk.sizeBytes === wanted.sizeBytes && isSerialCompatible(disk.serial, wanted.serial))
      return { disk };
    return { problem: notThere(wanted, disks) };
  }
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
  if (another) {
    return {
      problem: {
        code: "disk-ambiguous",
        message: `More than one disk looks like ${describe(wanted)}: ${found.map((each) => each.name).join(", ")}.`,
        hint: "Detach the copy of the disk and start again.",
      },
    };
  }
  return { problem: notThere(wanted, disks) };
}

/** Old kernels do not show every disk's number. */
function isSerialCompatible(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function describe({ name, sizeBytes, tableId, serial }: Stash["disk"]): string {
  return `${name} (${formatSize(sizeBytes)}, table ${tableId ?? "unknown"}, serial ${serial ?? "unknown"})`;
}

function notThere(wanted: Stash["disk"], disks: readonly DiskFacts[]): Problem {
  const seen = disks
    .map(
      (each) =>
        `${each.name} (${formatSize(each.sizeBytes)}, table ${each.tableId ?? "none"}, serial ${each.serial ?? "none"})`,
    )
    .join(", ");
  return {
    code: "disk-not-found",
    message: `The disk to convert, ${describe(wanted)}, is not there; seen: ${seen || "no disk at all"}.`,
    hint: "Check that its driver works in the ramdisk, and that no disk was exchanged since stage 1.",
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
