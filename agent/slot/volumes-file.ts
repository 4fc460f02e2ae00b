import type { Layout } from "../../format/layout.ts";

export const volumesFile = "/etc/dualroot/volumes";

/**
 * /etc/dualroot/volumes, `NAME FILESYSTEM MOUNTPOINT WEIGHT SLOT` a line; grow-volumes reads it. `present`: names of the
 * volumes that the gateway has, where a release can name others; undefined takes all.
 */
export function renderVolumesFile(layout: Layout, present?: readonly string[]): string {
  const lines = layout.volumes
    .filter(({ name }) => present?.includes(name) !== false)
    .map(({ name, filesystem, mountPoint, growWeight, slot }) =>
      [name, filesystem, mountPoint, growWeight, slot ?? "-"].join(" "),
    );
  return `${["# NAME FILESYSTEM MOUNTPOINT WEIGHT SLOT; written by dualroot", ...lines].join("\n")}\n`;
}
