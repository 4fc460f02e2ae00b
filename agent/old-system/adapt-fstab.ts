import type { FilesystemType } from "../../format/layout.ts";
import { parseFstabLine, type FstabLine } from "./parse-fstab.ts";

export interface SlotMounts {
  /** `/dev/mapper/VA-root_b` */
  slotDevice: string;
  slotType: FilesystemType;
  /** Mount points whose filesystems were merged into the slot. */
  merged: readonly string[];
  /** Sources, as fstab may name them, of what lies on other disks: these lines stay. */
  elsewhere: ReadonlySet<string>;
  /** Ours: the boot partition, and the volume that both slots share where it is in nobody's way. */
  added: readonly { source: string; mountPoint: string; type: FilesystemType }[];
}

/** Options that every filesystem takes. The root's others may be those of another filesystem than the slot has. */
const commonOptions =
  /^(defaults|rw|ro|noatime|nodiratime|relatime|strictatime|discard|nodev|nosuid|noexec|sync|async|_netdev|x-.*)$/;
const onDevice = /^(UUID|LABEL|PARTUUID|PARTLABEL)=|^\/dev\//;

/**
 * The old fstab for slot B. What lay on the converted disk is gone or part of the root now, and a line that waits for it would
 * hang the boot: such lines stay as comments, so that a person sees what was.
 */
export function adaptFstab(text: string, mounts: SlotMounts): string {
  const lines = text.replace(/\n+$/, "").split("\n");
  const adapted = lines.flatMap((line) => adaptLine(line, mounts));
  if (!lines.some((line) => parseFstabLine(line)?.mountPoint === "/")) {
    adapted.push(`${mounts.slotDevice} / ${mounts.slotType} defaults 0 ${passOf(mounts.slotType, 1)}`);
  }
  return [
    "# Adapted by dualroot: this system is kept as slot B. Lines of the old disk are comments now.",
    ...adapted.filter((line, index) => line !== "" || index > 0),
    ...mounts.added
      .filter(({ mountPoint }) => !lines.some((line) => parseFstabLine(line)?.mountPoint === mountPoint))
      .map(
        ({ source, mountPoint, type }) =>
          `${source} ${mountPoint} ${type} defaults,nofail 0 ${passOf(type, 2)}`,
      ),
    "",
  ].join("\n");
}

function adaptLine(text: string, mounts: SlotMounts): string[] {
  const line = parseFstabLine(text);
  if (!line) return [text];
  if (line.mountPoint === "/") return [rootLine(line, mounts)];
  if (mounts.merged.includes(line.mountPoint)) return [`# part of the root filesystem now: ${text.trim()}`];
  if (line.type === "swap") {
    // Swap files are not captured; a partition of another disk is as good as before.
    return mounts.elsewhere.has(line.source) ? [text] : [`# this swap is gone: ${text.trim()}`];
  }
  // `noauto`: a drive, a stick; nothing waits for it.
  const waits = onDevice.test(line.source) && !line.options.includes("noauto");
  if (!waits || mounts.elsewhere.has(line.source)) return [text];
  return [`# was on the old disk: ${text.trim()}`];
}

function rootLine({ options, type }: FstabLine, { slotDevice, slotType }: SlotMounts): string {
  const kept = type === slotType ? options : options.filter((option) => commonOptions.test(option));
  return `${slotDevice} / ${slotType} ${kept.join(",") || "defaults"} 0 ${passOf(slotType, 1)}`;
}

/** fsck of XFS does nothing. */
function passOf(type: FilesystemType, pass: number): number {
  return type === "xfs" ? 0 : pass;
}
