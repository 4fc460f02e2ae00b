import { GiB, MiB } from "../../format/sizes.ts";

const hour = 60 * 60 * 1000;

/** What was not used for longest goes when a part of the cache has more. */
export const mostCacheBytes = {
  rootfs: 4 * GiB,
  listings: 512 * MiB,
  fetched: GiB,
  ovas: 16 * MiB,
  segments: 2 * GiB,
  node: 256 * MiB,
  modules: GiB,
} as const;

export interface CachePart {
  /** Of the file or folder in the cache folder. */
  name: string;
  what: string;
  /** Absent: bounded otherwise. */
  mostBytes?: number;
}

/** All that the builder keeps between runs. What else lies in the cache folder is not ours. */
export const cacheParts: readonly CachePart[] = [
  { name: "rootfs", what: "packed root filesystems", mostBytes: mostCacheBytes.rootfs },
  { name: "listings", what: "lists of what disk images hold", mostBytes: mostCacheBytes.listings },
  { name: "fetched", what: "settings and kernels of disk images", mostBytes: mostCacheBytes.fetched },
  { name: "ovas", what: "where in OVAs their disks are", mostBytes: mostCacheBytes.ovas },
  { name: "segments", what: "compressed parts of ramdisks", mostBytes: mostCacheBytes.segments },
  { name: "node", what: "Node, trimmed for the ramdisk", mostBytes: mostCacheBytes.node },
  { name: "modules", what: "kernel modules, decompressed", mostBytes: mostCacheBytes.modules },
  { name: "helper", what: "kernels, ramdisks and saved states of the helper, three of each" },
  { name: "digests.json", what: "digests of files that have not changed since" },
];

/** For entries that FileDigests remembers: a note of their use changes their times, and so costs a digest. */
export const rarelyNoted = { noteMs: 12 * hour, inUseMs: 36 * hour };
