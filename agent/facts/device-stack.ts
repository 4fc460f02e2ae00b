import type { RootFacts } from "./facts.ts";
import type { Tree } from "./tree.ts";
import type { VolumeSegment } from "./volume-groups.ts";

type Layer = RootFacts["stack"][number];

/** What lies between a filesystem and its disks, top down. */
export interface Stack {
  layers: Layer[];
  /** Kernel names of whole disks. */
  disks: string[];
  /** Volume groups met, UUIDs without dashes. */
  groupUuids: string[];
}

/** Follows slaves and partitions down from a device given as `major:minor`. */
export async function readStack(
  tree: Tree,
  device: string,
  segments: readonly VolumeSegment[],
): Promise<Stack> {
  const stack: Stack = { layers: [], disks: [], groupUuids: [] };
  const top = await kernelNameOf(tree, device);
  // btrfs, ZFS, NFS: no block device of its own behind the mount
  if (top === undefined) return { ...stack, layers: ["unknown"] };
  const waiting = [top];
  const seen = new Set<string>();
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const found = await describe(tree, name, segments);
    stack.layers.push(found.layer);
    if (found.groupUuid && !stack.groupUuids.includes(found.groupUuid))
      stack.groupUuids.push(found.groupUuid);
    if (found.layer === "disk") stack.disks.push(name);
    waiting.push(...found.below);
  }
  return { ...stack, disks: stack.disks.sort() };
}

/** `253:0` -> `dm-0`. */
export async function kernelNameOf(tree: Tree, device: string): Promise<string | undefined> {
  const folder = await tree.resolve(`/sys/dev/block/${device}`);
  return folder?.slice(folder.lastIndexOf("/") + 1);
}

interface Found {
  layer: Layer;
  below: string[];
  groupUuid?: string;
}

async function describe(tree: Tree, name: string, segments: readonly VolumeSegment[]): Promise<Found> {
  if (name.startsWith("dm-")) {
    const uuid = (await tree.text(`/sys/block/${name}/dm/uuid`)) ?? "";
    return { ...mapperLayer(uuid, segments), below: await tree.list(`/sys/block/${name}/slaves`) };
  }
  if (name.startsWith("md")) return { layer: "raid", below: await tree.list(`/sys/block/${name}/slaves`) };
  if (name.startsWith("loop")) return { layer: "loop", below: [] };
  const folder = await tree.resolve(`/sys/class/block/${name}`);
  if (folder !== undefined && (await tree.text(`${folder}/partition`)) !== undefined) {
    return { layer: "partition", below: [folder.split("/").at(-2)!] };
  }
  return { layer: folder === undefined ? "unknown" : "disk", below: [] };
}

/** A device-mapper UUID tells who made it: `LVM-` + group (32) + volume (32), `mpath-…`, `CRYPT-…`, `part1-mpath-…`. */
function mapperLayer(uuid: string, segments: readonly VolumeSegment[]): { layer: Layer; groupUuid?: string } {
  if (uuid.startsWith("LVM-")) {
    const groupUuid = uuid.slice(4, 36);
    const volumeUuid = uuid.slice(36, 68);
    const own = segments.filter(
      (segment) => plainUuid(segment.groupUuid) === groupUuid && plainUuid(segment.volumeUuid) === volumeUuid,
    );
    const linear = own.length > 0 && own.every(({ type }) => type === "linear");
    return { layer: linear ? "lvm-linear" : "lvm-other", groupUuid };
  }
  if (uuid.startsWith("mpath-")) return { layer: "multipath" };
  if (uuid.startsWith("CRYPT-")) return { layer: "crypt" };
  if (/^part\d+-/.test(uuid)) return { layer: "partition" };
  if (uuid.startsWith("DMRAID-")) return { layer: "raid" };
  return { layer: "unknown" };
}

export function plainUuid(uuid: string): string {
  return uuid.replaceAll("-", "");
}
