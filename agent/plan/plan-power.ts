import { gptSectorBytes, type PlannedTable } from "../../format/partition-table.ts";
import type { Stash } from "../../format/stash.ts";
import type { DiskFacts } from "../facts/facts.ts";
import { extentsToBytes, type ExtentMap } from "./extents.ts";
import { placeStash } from "./place-stash.ts";
import type { ByteRange, ExtentRange, Step } from "./step.ts";

/**
 * What a power cut finds between first and last write: a stash on the disk that is to be armed, or is armed (resumed); one in
 * memory that is placed on the disk first, if there is room; or nothing.
 */
export type PowerMode = "arm" | "armed" | "place" | "none";

export interface PowerInput {
  power: PowerMode;
  /** With `place`: the files of the stash. */
  stashFiles: readonly { name: string; sizeBytes: number }[];
  consoles: Stash["consoles"];
  disk: DiskFacts;
  table: PlannedTable;
  /** Bytes of the disk that the stash has. */
  reserved: readonly ByteRange[];
  placed: { map: ExtentMap; reserved: ExtentRange[]; free: ExtentRange[] };
}

export interface PowerPlan {
  /** From the last step that changes nothing to the point of no return. */
  arming: Step[];
  /** Sector 0 leads to the resume loader while the disk is rewritten. */
  isArmed: boolean;
  /** Bytes that are not wiped. */
  kept: ByteRange[];
  /** Extents of the volume `stash`. */
  reserved: ExtentRange[];
}

/** It points to what boots: old system, resume loader or new system, and is written for that alone. */
const sector0: ByteRange = { startBytes: 0, sizeBytes: gptSectorBytes };

export function planPower(input: PowerInput): PowerPlan {
  const { power, placed, disk, table, consoles } = input;
  const place = power === "place" ? placeStash(placed.map, placed.free, input.stashFiles) : undefined;
  const isArmed = power === "arm" || power === "armed" || place !== undefined;
  const arming: Step[] = [];
  if (place) {
    const { files, json, loader } = place;
    const title = "Put the package on the disk";
    arming.push({ kind: "place-stash", title, disk: disk.path, files, json, loader });
  }
  if (isArmed && power !== "armed")
    arming.push({
      kind: "arm-resume-loader",
      title: "Arm the resume loader",
      disk: disk.path,
      table,
      consoles,
    });
  return {
    arming,
    isArmed,
    kept: [
      ...input.reserved,
      ...(place?.extents ?? []).map((range) => extentsToBytes(placed.map, range)),
      ...(isArmed ? [sector0] : []),
    ],
    reserved: place?.extents ?? placed.reserved,
  };
}
