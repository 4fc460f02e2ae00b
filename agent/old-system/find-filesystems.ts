import { basename } from "node:path";
import { StepError } from "../../format/errors.ts";
import type { OldFilesystem } from "../../format/stash.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { openTree } from "../facts/tree.ts";
import type { Run } from "../system/run.ts";

export interface OldSystemPlace {
  /** The converted disk; a clone of it may be attached, with the same UUIDs. */
  disk: string;
  filesystems: readonly OldFilesystem[];
  /** On that disk. */
  volumeGroups: readonly string[];
}

/** Device of each filesystem, in the same order. Logical volumes must be active. */
export async function findFilesystems(run: Run, place: OldSystemPlace): Promise<string[]> {
  const devices = new Map<string, string>();
  for (const device of await candidates(place)) {
    const { uuid } = await probeSignatures(run, device);
    if (uuid !== undefined) devices.set(uuid, device);
  }
  return place.filesystems.map(({ uuid, mountPoint }) => {
    const device = devices.get(uuid);
    if (device !== undefined) return device;
    throw new StepError(`the filesystem of its ${mountPoint} (${uuid}) is not on ${place.disk}`);
  });
}

/** The disk itself, its partitions, and the volumes of its groups. */
async function candidates({ disk, volumeGroups }: OldSystemPlace): Promise<string[]> {
  const tree = openTree("/");
  const name = basename(disk);
  const partitions = (await tree.list(`/sys/block/${name}`)).filter((child) => child.startsWith(name));
  const prefixes = volumeGroups.map((group) => `${group.replaceAll("-", "--")}-`);
  const volumes = (await tree.list("/dev/mapper")).filter((entry) =>
    prefixes.some((prefix) => entry.startsWith(prefix) && !entry.slice(prefix.length).startsWith("-")),
  );
  return [
    disk,
    ...partitions.map((partition) => `/dev/${partition}`),
    ...volumes.map((volume) => `/dev/mapper/${volume}`),
  ];
}
