import { packageFiles } from "../../../format/manifest.ts";
import { formatSizePair, MiB } from "../../../format/sizes.ts";
import { bootMountPoint } from "../../plan/check-layout.ts";
import { refuse, warnAbout, type InstallCheck } from "./install-check.ts";

/** GRUB's state lies there, and is what an upgrade changes last. */
export const bootPartition: InstallCheck = {
  name: "boot-partition",
  title: "Boot partition",
  run: ({ install: { boot, grubenv, system } }) => {
    if (!system) return undefined;
    if (!boot.isMounted || boot.isReadOnly)
      return refuse({
        code: "boot-partition-unusable",
        message: `The boot partition is ${boot.isMounted ? "read-only" : "not mounted"} at ${bootMountPoint}.`,
        hint: boot.isMounted
          ? `Look for errors of the disk (dmesg), then: mount -o remount,rw ${bootMountPoint}`
          : `mount ${bootMountPoint}`,
      });
    if (grubenv.state !== "good")
      return warnAbout({
        code: "grubenv-damaged",
        message: `GRUB's environment block is ${grubenv.state}; the upgrade makes it anew.`,
        hint: "Nothing to do; the history will say so.",
      });
    return "mounted, GRUB's environment block is good";
  },
};

/** Beside the files that are there: they are replaced by renaming. */
const spareBytes = MiB;

/** Bytes that the new rescue system needs on the boot partition; 0 when both files are there in their size, for they may be the same. */
export function rescueBytes(
  files: readonly { name: string; size: number }[],
  present: Readonly<Record<string, number>>,
): number {
  const rescue = files.filter(({ name }) => name === packageFiles.kernel || name === packageFiles.ramdisk);
  if (rescue.every(({ name, size }) => present[name] === size)) return 0;
  return rescue.reduce((sum, { size }) => sum + size, spareBytes);
}

/** Without room the earlier rescue system stays: it boots every slot, too. */
export const rescueRoom: InstallCheck = {
  name: "rescue-system",
  title: "Rescue system",
  run: ({ manifest, install: { boot, system } }) => {
    if (!system || !boot.isMounted) return undefined;
    const needs = rescueBytes(manifest.files, boot.rescueBytes);
    if (needs <= boot.freeBytes)
      return needs === 0 ? "as the package's" : "the package's replaces the one that is there";
    const [hasText, needsText] = formatSizePair(boot.freeBytes, needs);
    return warnAbout({
      code: "rescue-not-refreshed",
      message: `The new rescue system needs ${needsText} beside the one that is there, and the boot partition has ${hasText} free.`,
      hint: "The earlier rescue system stays; it boots either slot.",
    });
  },
};
