import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/**
 * Files that are there for as long as this ramdisk runs, so that whoever ends up deciding what comes next (the agent started
 * a second time, /init) knows. See docs/conventions.md.
 */

/** The first write outside the stash is due: there is no old system to go back to. */
const changedMarker = "/run/dualroot/disk-changed";
/** The disk boots the resume loader. Content: its kernel command line, so that the agent started again does as it would. */
const armedMarker = "/run/dualroot/resume-armed";

export function isDiskChanged(): boolean {
  return existsSync(changedMarker);
}

export function markDiskChanged(): void {
  writeFileSync(changedMarker, "");
}

export function markArmed(commandLine: string): void {
  writeFileSync(armedMarker, `${commandLine}\n`);
}

/** The resume loader's kernel command line, when the disk boots it. */
export function armedCommandLine(): string | undefined {
  return existsSync(armedMarker) ? readFileSync(armedMarker, "utf8") : undefined;
}

/** Arming failed, and sector 0 is as it was before: the old system boots. */
export function unmarkArmed(): void {
  rmSync(armedMarker, { force: true });
  rmSync(changedMarker, { force: true });
}
