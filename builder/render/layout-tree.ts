import type { Layout } from "../../format/layout.ts";
import { formatSize } from "../../format/sizes.ts";
import { table } from "./table.ts";

/** The target disk as lsblk would show it, on the smallest disk that will do. */
export function layoutTree(layout: Layout, diskBytes: number): string[] {
  const rest = diskBytes - layout.biosBootBytes - layout.bootBytes;
  const totalWeight = layout.volumes.reduce((sum, { growWeight }) => sum + growWeight, 0);
  const rows: string[][] = [
    ["NAME", "SIZE", "TYPE", "FSTYPE", "SLOT", "MOUNTPOINT", "OF THE FREE SPACE"],
    ["disk", `>=${formatSize(diskBytes)}`, "disk", "", "", ""],
    ["├─1", formatSize(layout.biosBootBytes), "part", "", "", "(BIOS boot: GRUB's core)"],
    ["├─2", formatSize(layout.bootBytes), "part", "ext4", "", "/boot/dualroot"],
    ["└─3", `>=${formatSize(rest)}`, "part", "LVM", "", ""],
  ];
  for (const [index, volume] of layout.volumes.entries()) {
    const branch = index === layout.volumes.length - 1 ? "└─" : "├─";
    const mounted = volume.slot === "B" ? "/ (empty until the first update)" : volume.mountPoint;
    const weight = volume.growWeight > 0 ? `${volume.growWeight} of ${totalWeight}` : "";
    rows.push([
      `  ${branch}${layout.volumeGroup}-${volume.name}`,
      formatSize(volume.sizeBytes),
      "lvm",
      volume.filesystem,
      volume.slot ?? "",
      mounted,
      weight,
    ]);
  }
  return table(rows, { right: [1] });
}
