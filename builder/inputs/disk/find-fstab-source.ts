import type { FoundFilesystem } from "./found-filesystem.ts";

/** Those that a first field of fstab may mean. Disk names differ between hypervisors: `sda1`, `vda1` and `xvda1` are the first partition of the first disk. */
export function findFstabSource(source: string, found: readonly FoundFilesystem[]): FoundFilesystem[] {
  const [, tag, value = ""] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/.exec(source) ?? [];
  const path = /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel)\/(.+)$/.exec(source);
  if (tag !== undefined) return byTag(tag, value, found);
  // udev writes what a file name cannot have as \x20.
  if (path)
    return byTag(
      path[1]!.toUpperCase(),
      path[2]!.replaceAll(/\\x([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
      found,
    );
  const partition = /^\/dev\/(?:[hsv]d|xvd)([a-z])(\d+)$/.exec(source);
  if (partition) {
    const [disk, number] = [partition[1]!.codePointAt(0)! - 97, Number(partition[2])];
    return found.filter((one) => one.partition?.disk === disk && one.partition.number === number);
  }
  const nvme = /^\/dev\/nvme(\d+)n1p(\d+)$/.exec(source);
  if (nvme)
    return found.filter(
      ({ partition: one }) => one?.disk === Number(nvme[1]) && one.number === Number(nvme[2]),
    );
  return found.filter(({ volume }) => volume && volumeNames(volume).includes(source));
}

function byTag(tag: string, value: string, found: readonly FoundFilesystem[]): FoundFilesystem[] {
  const same = (text: string | undefined) => text !== undefined && text.toLowerCase() === value.toLowerCase();
  if (tag === "UUID") return found.filter(({ uuid }) => same(uuid));
  if (tag === "PARTUUID") return found.filter(({ partitionUuid }) => same(partitionUuid));
  if (tag === "LABEL") return found.filter(({ label }) => label === value);
  return found.filter(({ partitionLabel }) => partitionLabel === value);
}

/** LVM's, device-mapper's, which doubles a dash in a name, and udev's: Ubuntu's server installer writes those with the UUID. */
function volumeNames({ group, name, uuid }: NonNullable<FoundFilesystem["volume"]>): string[] {
  const doubled = (text: string) => text.replaceAll("-", "--");
  const mapped = `${doubled(group)}-${doubled(name)}`;
  const byId = "/dev/disk/by-id/dm";
  return [`/dev/${group}/${name}`, `/dev/mapper/${mapped}`, `${byId}-name-${mapped}`, `${byId}-uuid-${uuid}`];
}
