import type { Manifest } from "../../format/manifest.ts";
import type { PlanInput } from "../plan/conversion-plan.ts";
import type { RamdiskWords } from "../ramdisk/command-line.ts";
import { stashRanges } from "../stash/stash-ranges.ts";
import type { StoredFile } from "../stash/stored-file.ts";
import type { Safeguard } from "../system/safeguards.ts";
import type { TakenStash } from "./taken-stash.ts";

export interface PlanInputOptions {
  manifest: Manifest;
  words: RamdiskWords;
  taken: Pick<TakenStash, "stash" | "place">;
  isDiskChanged: boolean;
  without: ReadonlySet<Safeguard>;
}

/** How the plan meets a power cut, and what it does with the old system, by where the stash is and what has been done already. */
export function planInputFrom(options: PlanInputOptions): Omit<PlanInput, "facts" | "template"> {
  const { manifest, words, taken, isDiskChanged, without } = options;
  const { stash, place } = taken;
  const oldSystem = capturedSystem(words, taken)
    ? "captured"
    : // Once the disk was changed there is nothing left to capture.
      words.resume || isDiskChanged || !stash.oldSystem
      ? "none"
      : "capture";
  if (!place) {
    return {
      manifest,
      oldSystem,
      stash: isDiskChanged ? withoutTable(stash) : stash,
      power: without.has("arm") ? "none" : "place",
      stashFiles: stash.files,
    };
  }
  return {
    manifest,
    oldSystem,
    stash: { ...stash, foundOn: place.disk },
    reserved: without.has("reserve") ? [] : stashRanges(stash, place),
    power: words.resume ? "armed" : without.has("arm") ? "none" : "arm",
  };
}

/** The archive that was complete when the resume loader was armed. */
export function capturedSystem(
  words: Pick<RamdiskWords, "resume" | "oldSystem">,
  { stash, place }: Pick<TakenStash, "stash" | "place">,
): StoredFile | undefined {
  const ranges = stash.space?.oldSystem;
  if (!words.resume || !words.oldSystem || !ranges || !place) return undefined;
  return { name: "old-system", path: place.disk, ranges, ...words.oldSystem };
}

/** A first run has wiped the table that stage 1 saw; size and serial number remain. */
function withoutTable(stash: PlanInput["stash"]): PlanInput["stash"] {
  const { tableId: _, ...disk } = stash.disk;
  return { ...stash, disk };
}
