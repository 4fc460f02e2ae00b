import type { Problem } from "../../format/errors.ts";
import type { Layout, Volume } from "../../format/layout.ts";
import { formatSize, KiB, MiB } from "../../format/sizes.ts";

/** Where partition 2 is mounted in every slot; see docs/conventions.md. */
export const bootMountPoint = "/boot/dualroot";

/** The extents that the stash touches, until the new system is committed. */
export const stashVolume = "stash";

/** mkfs.xfs refuses less since xfsprogs 5.19. */
const smallestXfsBytes = 300 * MiB;

/** What a schema cannot say about a layout: the volumes together make one bootable system. Used at build time and again by the agent. */
export function checkLayout(layout: Layout): Problem[] {
  const problems: Problem[] = [];
  const fault = (message: string, hint: string): void => {
    problems.push({ code: "layout-invalid", message, hint, where: "layout" });
  };
  const slots = layout.volumes.filter((volume) => volume.slot !== undefined);
  for (const slot of ["A", "B"] as const) {
    const count = slots.filter((volume) => volume.slot === slot).length;
    if (count > 1) fault(`${count} volumes are slot ${slot}.`, "Each slot is one volume.");
  }
  if (!slots.some((volume) => volume.slot === "A"))
    fault("No volume is slot A.", "Give the root volume `slot: A`.");
  for (const volume of layout.volumes) {
    if ((volume.slot !== undefined) !== (volume.mountPoint === "/")) {
      fault(
        `Volume ${volume.name} is ${volume.slot ? `slot ${volume.slot}` : "no slot"} and mounted at ${volume.mountPoint}.`,
        "Slots, and only slots, are mounted at `/`.",
      );
    }
    if (isInside(volume.mountPoint, bootMountPoint)) {
      fault(
        `Volume ${volume.name} is mounted at ${volume.mountPoint}.`,
        `Choose another place: ${bootMountPoint} is the boot partition's.`,
      );
    }
    if (volume.filesystem === "xfs" && volume.sizeBytes < smallestXfsBytes) {
      fault(
        `Volume ${volume.name} has ${formatSize(volume.sizeBytes)}, XFS needs ${formatSize(smallestXfsBytes)}.`,
        "Make it larger, or ext4.",
      );
    }
  }
  if (new Set(slots.map(({ growWeight }) => growWeight)).size > 1)
    fault("The two slots have different growWeights.", "Give them the same: they always grow by the same.");
  if (layout.volumes.some((volume) => volume.name === stashVolume))
    fault(`A volume is named ${stashVolume}.`, "Rename it: the conversion keeps its package in that one.");
  for (const name of repeated(layout.volumes, (volume) => volume.name))
    fault(`Two volumes are named ${name}.`, "Rename one.");
  const others = layout.volumes.filter((volume) => volume.slot === undefined);
  for (const path of repeated(others, (volume) => volume.mountPoint))
    fault(`Two volumes are mounted at ${path}.`, "Move one.");
  if (layout.extentBytes % (128 * KiB) !== 0)
    fault(`LVM takes no extents of ${layout.extentBytes} bytes.`, "Use 4 MiB.");
  return problems;
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function repeated(volumes: readonly Volume[], key: (volume: Volume) => string): string[] {
  const keys = volumes.map(key);
  return [...new Set(keys.filter((value, index) => keys.indexOf(value) !== index))];
}
