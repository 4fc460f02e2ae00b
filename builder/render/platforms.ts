import type { PlatformDrivers } from "../../format/platforms.ts";

/** Rows of a table: one for each platform, what a target has of its drivers. */
export function platformRows(platforms: readonly PlatformDrivers[]): string[][] {
  const width = Math.max(...platforms.map(({ platform }) => platform.length));
  return platforms.map((verdict, index) => [
    index === 0 ? "platforms" : "",
    `${verdict.platform.padEnd(width)}  ${describe(verdict)}${verdict.promised ? "  (promised)" : ""}`,
  ]);
}

function describe({ disk, network, notInInitramfs, absent }: PlatformDrivers): string {
  const disks: Record<PlatformDrivers["disk"], string> = {
    ready: "disk and initramfs ready",
    "after-rebuild": `disk ready once the initramfs is rebuilt with ${notInInitramfs.join(", ")}`,
    "not-in-initramfs": `disk not in its initramfs: ${notInInitramfs.join(", ")}`,
    "no-driver": "no driver for its disk",
  };
  const cards: Record<PlatformDrivers["network"], string> = {
    ready: "network ready",
    "no-driver": "no driver for its network",
  };
  const parts = [disks[disk], cards[network]];
  if (absent.length > 0) parts.push(`its kernel has no ${absent.join(", ")}`);
  return parts.join("; ");
}
