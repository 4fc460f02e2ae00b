import { formatSize } from "../../format/sizes.ts";
import type { DiskFacts, Facts } from "../facts/facts.ts";
import { fail, warn, type Check } from "./check.ts";

interface Lost {
  what: string;
  sizeBytes: number;
}

/** The old system's own: rebuilt by the conversion, or carried by the identity. */
const ownMounts = ["/", "/boot", "/boot/efi", "/boot/dualroot"];
const noData = [undefined, "swap", "LVM2_member"];

/**
 * Whoever converts from afar must not learn afterwards that a database lived on its own volume: every filesystem on the disk
 * beside the old system's own that no preserved path covers is told, and refused until `--accept-data-loss` is said.
 */
export const dataLoss: Check = {
  name: "data",
  title: "Data on the disk",
  run: ({ stage, facts, manifest, disk, options }) => {
    if (stage === "ramdisk" || !disk) return undefined;
    const preserved = manifest.preserve.paths;
    const lost = [...lostMounts(facts, disk, preserved), ...unmounted(facts, disk)];
    if (lost.length === 0) return describeCarried(preserved);
    const problem = {
      code: "data-would-be-lost" as const,
      message: `On ${disk.path} these would be lost: ${lost.map(({ what, sizeBytes }) => `${what} (${formatSize(sizeBytes)})`).join(", ")}.`,
      hint: options.acceptDataLoss
        ? "You accepted that; make sure there is a copy."
        : "Copy them away, or have the package preserve them; then say --accept-data-loss.",
    };
    return [options.acceptDataLoss ? warn(problem) : fail(problem)];
  },
};

function lostMounts(facts: Facts, disk: DiskFacts, preserved: readonly string[]): Lost[] {
  const seen = new Set<string>();
  return facts.mounts.flatMap(({ device, target, source, disks, usedBytes }) => {
    // Bind mounts show one filesystem several times; its first mount, the real one, stands for all.
    const again = seen.has(device);
    seen.add(device);
    if (again || !disks?.includes(disk.name) || ownMounts.includes(target) || isCovered(target, preserved))
      return [];
    return [{ what: `${target} on ${source}`, sizeBytes: usedBytes ?? 0 }];
  });
}

/** Filesystems nobody has mounted now: told as well. A volume without a known filesystem may hold raw data; a partition hardly. */
function unmounted(facts: Facts, disk: DiskFacts): Lost[] {
  const sources = new Set([...facts.mounts.map((mount) => mount.source), facts.root?.device]);
  const own = new Set([disk.path, ...disk.partitions.map((partition) => partition.path)]);
  const partitions = disk.partitions.filter(
    ({ path, filesystemType, filesystemUuid }) =>
      !noData.includes(filesystemType) && !sources.has(path) && filesystemUuid !== facts.root?.filesystemUuid,
  );
  const volumes = (facts.volumeGroups ?? [])
    .filter((group) => group.physicalVolumes.some((path) => own.has(path)))
    .flatMap((group) =>
      (group.volumes ?? []).map((volume) => ({ ...volume, path: mapperPath(group.name, volume.name) })),
    )
    .filter(({ path, filesystemType }) => filesystemType !== "swap" && !sources.has(path));
  return [...partitions, ...volumes].map(({ path, filesystemType, sizeBytes }) => ({
    what: `${filesystemType ?? "unknown content"} on ${path}, not mounted`,
    sizeBytes,
  }));
}

/** Device-mapper doubles the dashes of each name and joins them with one. */
function mapperPath(group: string, volume: string): string {
  return `/dev/mapper/${group.replaceAll("-", "--")}-${volume.replaceAll("-", "--")}`;
}

/** A preserved path at or above the mount point carries all of it. */
function isCovered(target: string, preserved: readonly string[]): boolean {
  return preserved.some(
    (path) => path === target || target.startsWith(path.endsWith("/") ? path : `${path}/`),
  );
}

function describeCarried(preserved: readonly string[]): string {
  const shown = preserved.slice(0, 5).join(", ");
  const more = preserved.length > 5 ? ` and ${preserved.length - 5} more` : "";
  return `identity${shown ? `, ${shown}${more}` : ""} are carried; everything else is replaced`;
}
