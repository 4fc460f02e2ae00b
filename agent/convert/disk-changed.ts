import { existsSync, writeFileSync } from "node:fs";

/**
 * There once the first write is due, and for as long as this ramdisk runs: whoever ends up deciding what comes next (the
 * agent started a second time, /init) must know that there is no old system to go back to. See docs/conventions.md.
 */
const marker = "/run/dualroot/disk-changed";

export function isDiskChanged(): boolean {
  return existsSync(marker);
}

export function markDiskChanged(): void {
  writeFileSync(marker, "");
}
