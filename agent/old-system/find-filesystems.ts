import { basename } from "node:path";
import { StepError } from "../../format/errors.ts";
import type { OldFilesystem } from "../../format/stash.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { openTree, type Tree } from "../facts/tree.ts";
import type { Run } from "../system/run.ts";

export interface OldSystemPlace {
  /** The converted disk; a clone of it may be attached, with the same UUIDs. */
  disk: string;
  filesystems: readonly OldFilesystem[];
  /** On that disk. */
  volumeGroups: readonly string[];
}

/**
 * Device of each filesystem, in the same order. Logical volumes must be active. A snapshot has the UUID of what it was taken of:
 * then nothing here tells the old system from what it was some day, and none is taken.
 */
export async function findFilesystems(
  run: Run,
  place: OldSystemPlace,
  tree: Tree = openTree("/"),
): Promise<string[]> {
  const devices = new Map<string, string[]>();
  for (const device of await candidates(place, tree)) {
    const { uuid } = await probeSignatures(run, device);
    if (uuid !== undefined) devices.set(uuid, [...(devices.get(uuid) ?? []), device]);
  }
  const parts = await readParts(tree);
  return place.filesystems.map(({ uuid, mountPoint }) => {
    const all = devices.get(uuid) ?? [];
    // What another one is made of shows the same filesystem: half of a mirror, the volume under a cache.
    const [device, ...others] = all.filter((one) => !all.some((other) => isPartOf(one, other, parts)));
    const what = `the filesystem of its ${mountPoint} (${uuid})`;
    if (device === undefined) throw new StepError(`${what} is not on ${place.disk}`);
    if (others.length > 0) {
      throw new StepError(
        `${what} is on ${place.disk} twice (${[device, ...others].join(", ")}): is there a snapshot of it?`,
      );
    }
    return device;
  });
}

/** The disk itself, its partitions, and the volumes of its groups. */
async function candidates({ disk, volumeGroups }: OldSystemPlace, tree: Tree): Promise<string[]> {
  const name = basename(disk);
  const partitions = (await tree.list(`/sys/block/${name}`)).filter((child) => child.startsWith(name));
  const prefixes = volumeGroups.map((group) => `${group.replaceAll("-", "--")}-`);
  const volumes = (await tree.list("/dev/mapper")).filter((entry) =>
    prefixes.some((prefix) => entry.startsWith(prefix) && isVolumeName(entry.slice(prefix.length))),
  );
  return [
    disk,
    ...partitions.map((partition) => `/dev/${partition}`),
    ...volumes.map((volume) => `/dev/mapper/${volume}`),
  ];
}

/**
 * Hyphens of a volume's name are doubled. A single one stands before the name of a hidden layer (`home-real`), is the end of another
 * group's name, or is none of LVM's, as in our own views of the old system.
 */
function isVolumeName(name: string): boolean {
  return !name.startsWith("-") && !/(?<!-)(?:--)*-(?!-)/.test(name);
}

/** The devices that each mapped device is made of, by their paths. */
async function readParts(tree: Tree): Promise<Map<string, string[]>> {
  const paths = new Map<string, string>();
  for (const name of await tree.list("/sys/block")) {
    const mapped = await tree.text(`/sys/block/${name}/dm/name`);
    if (mapped !== undefined) paths.set(name, `/dev/mapper/${mapped}`);
  }
  const parts = new Map<string, string[]>();
  for (const [name, path] of paths) {
    const below = await tree.list(`/sys/block/${name}/slaves`);
    parts.set(
      path,
      below.map((part) => paths.get(part) ?? `/dev/${part}`),
    );
  }
  return parts;
}

function isPartOf(device: string, whole: string, parts: ReadonlyMap<string, readonly string[]>): boolean {
  return (parts.get(whole) ?? []).some((part) => part === device || isPartOf(device, part, parts));
}
