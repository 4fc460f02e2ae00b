import type { LogEntry } from "./write-log.ts";

/** Of a conversion, in order. */
export const phases = ["stage 1", "ramdisk", "rewriting", "first boot", "committed"] as const;
export type Phase = (typeof phases)[number];

/** A line of the console, and how many bytes the log had when it came. */
export interface Mark {
  name: "stage-1" | "ramdisk" | "new-system" | "committed";
  logBytes: number;
  atSeconds: number;
}

/** Console lines that say where a conversion is. */
export const markPatterns: Record<Mark["name"], RegExp> = {
  "stage-1": /^STAGE-1 begins/,
  ramdisk: /dualroot: ramdisk started/,
  "new-system": /NEW-SYSTEM boots/,
  committed: /dualroot: slot A is healthy and marked good/,
};

export interface Switches {
  /** Entry numbers of the writes that cover sector 0, of the ramdisk only. */
  sectorZero: number[];
  /** First entry of each phase; a phase that did not happen has none. */
  starts: Partial<Record<Phase, number>>;
}

/**
 * The writes of sector 0 between the ramdisk's start and the new system's are the switches: exact, where a
 * console line is late. Without a stage 1 it is the recording of a resumed conversion, which begins in the middle.
 */
export function findSwitches(log: readonly LogEntry[], marks: readonly Mark[]): Switches {
  const at = (name: Mark["name"]): number | undefined => {
    const mark = marks.find((candidate) => candidate.name === name);
    if (!mark) return undefined;
    const index = log.findIndex((entry) => entry.dataOffset > mark.logBytes);
    return index < 0 ? log.length : index;
  };
  const stageOne = at("stage-1");
  const ramdisk = at("ramdisk") ?? log.length;
  const newSystem = at("new-system") ?? log.length;
  const sectorZero = [...log.entries()]
    .filter(([index, entry]) => index >= ramdisk && index < newSystem && coversSectorZero(entry))
    .map(([index]) => index);
  const [first] = sectorZero;
  const last = sectorZero.at(-1);
  const committed = at("committed");
  return {
    sectorZero,
    starts: {
      ...(stageOne === undefined
        ? { rewriting: 0 }
        : { "stage 1": stageOne, ramdisk, ...(first === undefined ? {} : { rewriting: first }) }),
      ...(last === undefined || newSystem === log.length ? {} : { "first boot": last + 1 }),
      ...(committed === undefined ? {} : { committed }),
    },
  };
}

export function phaseOf(entry: number, { starts }: Switches): Phase {
  let found: Phase = "stage 1";
  for (const phase of phases) {
    const start = starts[phase];
    if (start !== undefined && entry >= start) found = phase;
  }
  return found;
}

function coversSectorZero({ kind, sector, sectors }: LogEntry): boolean {
  return kind !== "flush" && sector === 0 && sectors > 0;
}
