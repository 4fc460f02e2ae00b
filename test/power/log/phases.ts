import type { LogEntry } from "./write-log.ts";

/** Of a conversion, and of an upgrade of what it left (before, writing, activated), in order. */
export const phases = [
  ...(["stage 1", "ramdisk", "rewriting", "before", "writing", "activated"] as const),
  ...(["first boot", "committed"] as const),
];
export type Phase = (typeof phases)[number];

export const markNames = ["stage-1", "ramdisk", "new-system", "committed", "upgrade", "next-slot"] as const;

/** A line of the console, and how many bytes the log had when it came. */
export interface Mark {
  name: (typeof markNames)[number];
  logBytes: number;
  atSeconds: number;
}

export type MarkPatterns = Partial<Record<Mark["name"], RegExp>>;

/** Console lines that say where a conversion is. */
export const conversionMarks: MarkPatterns = {
  "stage-1": /^STAGE-1 begins/,
  ramdisk: /dualroot: ramdisk started/,
  "new-system": /NEW-SYSTEM boots/,
  committed: /dualroot: slot A is healthy and marked good/,
};

/** Console lines that say where an upgrade is. */
export const upgradeMarks: MarkPatterns = {
  upgrade: /^UPGRADE begins/,
  "next-slot": /booting slot B, attempt 1 of 3/,
  committed: /dualroot: slot B is healthy and marked good/,
};

export interface Switches {
  /** Entry numbers of the writes that decide what boots: of a conversion those that cover sector 0, of the ramdisk only; of an upgrade those of grubenv. */
  deciding: number[];
  /** First entry of each phase; a phase that did not happen has none. */
  starts: Partial<Record<Phase, number>>;
}

/**
 * The writes of sector 0 between the ramdisk's start and the new system's are the switches: exact, where a
 * console line is late. Without a stage 1 it is the recording of a resumed conversion, which begins in the middle.
 */
export function findSwitches(log: readonly LogEntry[], marks: readonly Mark[]): Switches {
  const at = (name: Mark["name"]): number | undefined => entryAt(log, marks, name);
  const stageOne = at("stage-1");
  const ramdisk = at("ramdisk") ?? log.length;
  const newSystem = at("new-system") ?? log.length;
  const deciding = [...log.entries()]
    .filter(([index, entry]) => index >= ramdisk && index < newSystem && covers(entry, 0))
    .map(([index]) => index);
  const [first] = deciding;
  const last = deciding.at(-1);
  const committed = at("committed");
  return {
    deciding,
    starts: {
      ...(stageOne === undefined
        ? { rewriting: 0 }
        : { "stage 1": stageOne, ramdisk, ...(first === undefined ? {} : { rewriting: first }) }),
      ...(last === undefined || newSystem === log.length ? {} : { "first boot": last + 1 }),
      ...(committed === undefined ? {} : { committed }),
    },
  };
}

/** The first write of grubenv after the upgrade's begin marks the other slot bad, the next activates it; what follows is GRUB's, and the health gate's. */
export function findUpgradeSwitches(
  log: readonly LogEntry[],
  marks: readonly Mark[],
  grubenvSector: number,
): Switches {
  const before = entryAt(log, marks, "upgrade") ?? 0;
  const nextSlot = entryAt(log, marks, "next-slot");
  const committed = entryAt(log, marks, "committed");
  const deciding = [...log.entries()]
    .filter(([index, entry]) => index >= before && covers(entry, grubenvSector))
    .map(([index]) => index);
  const [bad, activated] = deciding;
  return {
    deciding,
    starts: {
      before,
      ...(bad === undefined ? {} : { writing: bad }),
      ...(activated === undefined ? {} : { activated }),
      ...(nextSlot === undefined ? {} : { "first boot": nextSlot }),
      ...(committed === undefined ? {} : { committed }),
    },
  };
}

/** Where the points begin: what came before is the rig's own. */
export function firstEntry({ starts }: Switches): number {
  return starts["stage 1"] ?? starts.before ?? 0;
}

export function phaseOf(entry: number, { starts }: Switches): Phase {
  let found: Phase = "stage 1";
  for (const phase of phases) {
    const start = starts[phase];
    if (start !== undefined && entry >= start) found = phase;
  }
  return found;
}

function entryAt(log: readonly LogEntry[], marks: readonly Mark[], name: Mark["name"]): number | undefined {
  const mark = marks.find((candidate) => candidate.name === name);
  if (!mark) return undefined;
  const index = log.findIndex((entry) => entry.dataOffset > mark.logBytes);
  return index < 0 ? log.length : index;
}

function covers(entry: LogEntry, sector: number): boolean {
  return entry.kind !== "flush" && entry.sector <= sector && sector < entry.sector + entry.sectors;
}
