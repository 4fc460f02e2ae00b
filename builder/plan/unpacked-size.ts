import type { Entry } from "../rootfs/walk.ts";

/** Bytes on an ext4 with 4 KiB blocks; hard links count once. */
export function unpackedSize(entries: readonly Entry[]): number {
  const seen = new Set<string>();
  let bytes = 0;
  for (const entry of entries) {
    if (entry.type === "folder") bytes += 4096;
    if (entry.type !== "file" || seen.has(entry.inode)) continue;
    seen.add(entry.inode);
    bytes += Math.ceil(Math.min(entry.sizeBytes, entry.allocatedBytes) / 4096) * 4096;
  }
  return bytes;
}
