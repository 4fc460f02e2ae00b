import type { Problem } from "../../format/errors.ts";
import { volumeDevice, type Layout, type Volume } from "../../format/layout.ts";
import { formatSize } from "../../format/sizes.ts";
import { deriveUuid } from "./derive-uuid.ts";
import { mapExtents, placeVolumes, reserveExtents, type ExtentMap } from "./extents.ts";
import type { ByteRange, ExtentRange, PlannedVolume } from "./step.ts";

export interface VolumeRequest {
  layout: Layout;
  seed: string;
  /** The partition that becomes the physical volume. */
  partition: ByteRange;
  /** Bytes of the disk no volume may touch. */
  reserved: readonly ByteRange[];
}

/** Longest label each filesystem takes. */
const labelLength = { ext4: 16, xfs: 12 } as const;

/** Where every volume of the layout will lie, or why they cannot. */
export function planVolumes(request: VolumeRequest): {
  volumes: PlannedVolume[];
  reserved: ExtentRange[];
  /** What nobody has. */
  free: ExtentRange[];
  map: ExtentMap;
  problems: Problem[];
} {
  const { layout, partition } = request;
  const { extentBytes } = layout;
  const map = mapExtents(partition, extentBytes);
  const { reserved, outside } = reserveExtents(map, request.reserved);
  const problems: Problem[] = outside.map((range) => ({
    code: "stash-in-the-way",
    message: `Bytes ${range.startBytes} to ${range.startBytes + range.sizeBytes - 1} of the disk must be kept, but the new layout needs them outside its volumes.`,
    hint: "Take the package to memory instead of the stash, or free space elsewhere on the old root filesystem.",
  }));
  const wanted = layout.volumes.map(({ name, sizeBytes }) => ({
    name,
    count: Math.ceil(sizeBytes / extentBytes),
  }));
  const placement = placeVolumes(map.totalExtents, reserved, wanted);
  if (!placement.fits) {
    const kept = reserved.length > 0 ? " besides what must be kept" : "";
    problems.push({
      code: "volumes-do-not-fit",
      message:
        `Volume ${placement.volume} (${formatSize(placement.wanted * extentBytes)}) does not fit: the volumes need ` +
        `${formatSize((placement.available + placement.missing) * extentBytes)}, the disk has ${formatSize(placement.available * extentBytes)} for them${kept}.`,
      hint: `Enlarge the disk by at least ${formatSize(placement.missing * extentBytes)}, or build a package with smaller volumes.`,
      where: `layout.volumes: ${placement.volume}`,
    });
    return { volumes: [], reserved, free: [], map, problems };
  }
  const places = new Map(placement.volumes.map(({ name, extents }) => [name, extents]));
  const volumes = layout.volumes.map((volume) => planVolume(request, volume, places.get(volume.name) ?? []));
  return { volumes, reserved, free: placement.free, map, problems };
}

export function planVolume(
  { layout, seed }: Pick<VolumeRequest, "layout" | "seed">,
  volume: Volume,
  extents: ExtentRange[],
): PlannedVolume {
  return {
    name: volume.name,
    device: volumeDevice(layout, volume),
    extents,
    filesystem: volume.filesystem,
    filesystemUuid: deriveUuid(seed, `filesystem ${volume.name}`),
    label: volume.name.slice(0, labelLength[volume.filesystem]),
    mountPoint: volume.mountPoint,
    ...(volume.slot === undefined ? {} : { slot: volume.slot }),
    ...(volume.growWeight > 0 ? { growWeight: volume.growWeight } : {}),
    populated: volume.slot !== "B",
  };
}
