import type { FilesystemType } from "../../../format/layout.ts";

const header = "# Written by dualroot when it converted this gateway.";

export interface SlotFstab {
  /** /etc/fstab of the slot that runs; empty to begin anew. */
  running: string;
  /** Of the slot to write. */
  device: string;
  type: FilesystemType;
  /** Lines that must be there, of the conversion's making; a line of the running slot for the same mount point wins. */
  needed: readonly string[];
}

/** The running slot's own lines, whatever a person added to them, with another root. */
export function slotFstab({ running, device, type, needed }: SlotFstab): string[] {
  const kept = running
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && line !== header && mountPointOf(line) !== "/");
  const present = new Set(kept.map(mountPointOf));
  const check = type === "xfs" ? 0 : 1;
  return [
    `${device} / ${type} ${rootOptions(running, type)} 0 ${check}`,
    ...needed.filter((line) => mountPointOf(line) !== "/" && !present.has(mountPointOf(line))),
    ...kept,
  ];
}

/** undefined for a comment, and for swap, which has none. */
function mountPointOf(line: string): string | undefined {
  const [source = "", mountPoint] = line.trim().split(/\s+/);
  return source.startsWith("#") || mountPoint === "none" || mountPoint === "swap" ? undefined : mountPoint;
}

/** A person's, as long as they are for a filesystem of the same kind. */
function rootOptions(running: string, type: FilesystemType): string {
  for (const line of running.split("\n")) {
    const [, , lineType, options] = line.trim().split(/\s+/);
    if (mountPointOf(line) === "/" && lineType === type && options !== undefined) return options;
  }
  return "defaults";
}
