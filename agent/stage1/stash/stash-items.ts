import { packageFiles } from "../../../format/manifest.ts";
import { loaderBytes } from "../../../format/stash.ts";
import { stashJsonBytes } from "../../checks/stash-mode.ts";
import type { StashItem } from "../../plan/choose-stash-places.ts";

/** Names of what is in the stash besides files. */
export const spaceNames = { loader: "loader", oldSystem: "old-system", stash: "stash.json" } as const;

/** GRUB reads the kernel from one range only, and names each of the ramdisk's on its command line. */
const mostRanges: Record<string, number> = {
  [packageFiles.kernel]: 1,
  [spaceNames.loader]: 1,
  [spaceNames.stash]: 1,
  [packageFiles.ramdisk]: 64,
  [packageFiles.rootfs]: 1500,
  [spaceNames.oldSystem]: 1500,
};
/** All ranges together stay within stash.json's room. */
const mostOtherRanges = 32;

/** The files, the resume loader, and stash.json itself. */
export function requiredItems(files: readonly { name: string; sizeBytes: number }[]): StashItem[] {
  return [
    ...files.map(({ name, sizeBytes }) => stashItem(name, sizeBytes)),
    stashItem(spaceNames.loader, loaderBytes),
    stashItem(spaceNames.stash, stashJsonBytes),
  ];
}

export function stashItem(name: string, sizeBytes: number): StashItem {
  return { name, sizeBytes, maxRanges: mostRanges[name] ?? mostOtherRanges };
}
