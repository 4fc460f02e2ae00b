import { rm } from "node:fs/promises";
import type { Manifest } from "../../format/manifest.ts";
import type { Stash } from "../../format/stash.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";

/** GRUB reads the boot partition, which is always this. */
const bootFilesystem = "ext4";

/**
 * Loads what the new disk's filesystems need, then gives the memory of the module files back: every device is driven by now,
 * and the package needs the room more. The rescue system keeps its own.
 */
export async function freeModules(
  { run, report }: Session,
  { layout }: Manifest,
  { oldRoot, oldSystem }: Pick<Stash, "oldRoot" | "oldSystem">,
): Promise<void> {
  const old = oldSystem?.filesystems ?? [];
  const types = new Set([
    bootFilesystem,
    ...layout.volumes.map(({ filesystem }) => filesystem),
    ...old.map(({ type }) => type),
    // A report of failure goes there.
    oldRoot.filesystemType,
  ]);
  await loadFilesystems(run, [...types]);
  // The old system is captured through them: agent/old-system/with-old-system.ts.
  if (oldSystem) await run("modprobe", ["-a", "-q", "dm_snapshot", "loop"], { acceptExitCodes: [1, 2] });
  await rm("/usr/lib/modules", { recursive: true, force: true });
  report({ kind: "detail", message: "Deleted /usr/lib/modules from memory: all drivers are loaded." });
}
