import { stashSectorBytes } from "../../format/stash.ts";
import type { RamdiskWords } from "../ramdisk/command-line.ts";
import type { StashPlace } from "../stash/stash-place.ts";

export interface ResumeInput {
  /** For the record; the stash is found by its place. */
  stash?: RamdiskWords["stash"];
  place: StashPlace;
  /** Byte of the disk where the resume record lies. */
  recordAt: number;
  /** The old system's archive in the stash. */
  oldSystem?: { sizeBytes: number; sha256: string };
  without: readonly string[];
  consoles: readonly string[];
}

/** Kernel command line of a ramdisk that carries on; docs/power.md has the words. */
export function resumeWords(input: ResumeInput): string[] {
  const { stash, place, recordAt, oldSystem, without, consoles } = input;
  const { startBytes, sizeBytes } = place.range;
  return [
    "dualroot.mode=convert",
    "dualroot.resume=1",
    ...(stash ? [`dualroot.stash=${stash.filesystemUuid}:${stash.folder}`] : []),
    `dualroot.stash_at=${startBytes / stashSectorBytes}+${sizeBytes / stashSectorBytes}`,
    `dualroot.stash_sha256=${place.sha256}`,
    `dualroot.record_at=${recordAt / stashSectorBytes}`,
    ...(oldSystem ? [`dualroot.old_system=${oldSystem.sizeBytes}:${oldSystem.sha256}`] : []),
    ...(without.length > 0 ? [`dualroot.without=${without.join(",")}`] : []),
    "panic=30",
    // The kernel's own messages would cost seconds on a serial line, and hide the agent's.
    "quiet",
    ...consoles,
  ];
}
