import { rm } from "node:fs/promises";
import type { Manifest } from "../../format/manifest.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";

/** GRUB reads the boot partition, which is always this. */
const bootFilesystem = "ext4";

/**
 * Loads what the new disk's filesystems need, then gives the memory of the module files back: every device is driven by now,
 * and the package needs the room more. The rescue system keeps its own.
 */
export async function freeModules({ run, report }: Session, { layout }: Manifest): Promise<void> {
  const types = new Set([bootFilesystem, ...layout.volumes.map(({ filesystem }) => filesystem)]);
  await loadFilesystems(run, [...types]);
  await rm("/usr/lib/modules", { recursive: true, force: true });
  report({ kind: "detail", message: "Deleted /usr/lib/modules from memory: all drivers are loaded." });
}
