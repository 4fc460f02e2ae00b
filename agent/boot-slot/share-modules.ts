import { cp, readdir } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { RootFolder } from "../identity/root-folder.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";
import { exists } from "../system/files.ts";

/** It mounts on demand by this, and says so on the console when it cannot. */
const wantedBySystemd = ["autofs"];

/** What will be mounted later, when the ramdisk's modules are gone. */
export async function loadSlotFilesystems({ run }: Session, root: string): Promise<void> {
  const fstab = (await new RootFolder(root).readText("/etc/fstab")) ?? "";
  const types = fstabTypes(fstab);
  await loadFilesystems(run, [...types, ...wantedBySystemd]);
}

export function fstabTypes(fstab: string): string[] {
  const types = fstab
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .flatMap((line) => line.trim().split(/\s+/)[2]?.split(",") ?? [])
    .filter((type) => /^[a-z0-9_]{1,32}$/.test(type) && type !== "auto" && type !== "none");
  return [...new Set(types)].sort();
}

/**
 * The slot has modules for its own kernel, not for the ramdisk's. Where it keeps an empty folder for the latter, the ramdisk's
 * are laid over it, in memory; the slot itself is never written. Says whether the booted system will find modules.
 */
export async function shareModules({ run }: Session, root: string): Promise<boolean> {
  const version = release();
  const folder = new RootFolder(root);
  const inside = await folder.resolve(`/lib/modules/${version}`);
  if (inside === undefined) return false;
  const place = folder.outside(inside);
  const entries = await readdir(place).catch(() => undefined);
  if (entries === undefined) return false;
  if (entries.includes("modules.dep")) return true; // the same kernel
  const ours = join("/usr/lib/modules", version);
  if (entries.length > 0 || !(await exists(ours))) return false;
  await run("mount", ["-t", "tmpfs", "-o", "mode=0755,nosuid,nodev", "modules", place]);
  await cp(ours, place, { recursive: true });
  return true;
}
