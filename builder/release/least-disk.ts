import type { Layout } from "../../format/layout.ts";
import { MiB } from "../../format/sizes.ts";

/** Bytes a disk needs for a layout: table and alignment at both ends, both boot partitions, LVM's own head, all volumes. */
export function leastDiskBytes(layout: Layout): number {
  const volumes = layout.volumes.reduce(
    (sum, volume) => sum + Math.ceil(volume.sizeBytes / layout.extentBytes) * layout.extentBytes,
    0,
  );
  const tableAndAlignment = 2 * MiB;
  const lvmHead = layout.extentBytes;
  return tableAndAlignment + alignUp(layout.biosBootBytes) + alignUp(layout.bootBytes) + lvmHead + volumes;
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / MiB) * MiB;
}
