import type { Stash } from "../../format/stash.ts";
import { mergeByteRanges } from "../plan/byte-ranges.ts";
import type { ByteRange } from "../plan/step.ts";
import type { StashPlace } from "./stash-place.ts";

/** Every byte of the disk that the stash needs, merged; empty in ram mode. */
export function stashRanges(
  { files, space }: Pick<Stash, "files" | "space">,
  { range }: Pick<StashPlace, "range">,
): ByteRange[] {
  return mergeByteRanges([
    range,
    ...files.flatMap((file) => file.ranges ?? []),
    ...(space ? [space.loader, ...(space.oldSystem ?? [])] : []),
  ]);
}
