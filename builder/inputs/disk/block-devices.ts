import * as z from "zod";
import type { FoundFilesystem } from "./found-filesystem.ts";

/** What of lsblk's JSON is used; absent values are null. */
const lsblkSchema = z.object({
  blockdevices: z
    .array(
      z.object({
        kname: z.string(),
        path: z.string(),
        pkname: z.string().nullable(),
        type: z.string(),
        size: z.number(),
      }),
    )
    .max(10_000),
});

const lvsSchema = z.object({
  report: z.array(
    z.object({
      lv: z
        .array(
          z.object({
            vg_name: z.string(),
            lv_name: z.string(),
            lv_dm_path: z.string(),
            vg_uuid: z.string(),
            lv_uuid: z.string(),
          }),
        )
        .max(10_000),
    }),
  ),
});

export const lsblkCommand: [string, ...string[]] = [
  "lsblk",
  "--json",
  "--bytes",
  "--list",
  "--output=KNAME,PATH,PKNAME,TYPE,SIZE",
];
export const lvsCommand: [string, ...string[]] = [
  "lvs",
  "--reportformat=json",
  "--options=vg_name,lv_name,lv_dm_path,vg_uuid,lv_uuid",
];

/** A device, and the kernel's own name for it. */
export interface BlockDevice extends FoundFilesystem {
  kernelName: string;
}

/** Everything a filesystem may lie on: what is neither cut into partitions nor used by volumes; what is on it is not told yet. Pure. */
export function blockDevices(lsblk: string, lvs: string): BlockDevice[] {
  const { blockdevices } = lsblkSchema.parse(JSON.parse(lsblk));
  const volumes = new Map(
    lvsSchema
      .parse(JSON.parse(lvs))
      .report.flatMap(({ lv }) => lv)
      .map((volume) => [
        volume.lv_dm_path,
        {
          group: volume.vg_name,
          name: volume.lv_name,
          uuid: `LVM-${`${volume.vg_uuid}${volume.lv_uuid}`.replaceAll("-", "")}`,
        },
      ]),
  );
  const parents = new Set(blockdevices.map(({ pkname }) => pkname));
  const found = new Map<string, BlockDevice>();
  for (const one of blockdevices) {
    if (!["disk", "part", "lvm"].includes(one.type) || parents.has(one.kname) || found.has(one.kname))
      continue;
    const partition = partitionOf(one.kname);
    const volume = volumes.get(one.path);
    // Parts of thin pools, mirrors and snapshots are nobody's filesystem.
    if (one.type === "lvm" && !volume) continue;
    found.set(one.kname, {
      kernelName: one.kname,
      device: one.path,
      type: "",
      sizeBytes: one.size,
      ...(partition ? { partition } : {}),
      ...(volume ? { volume } : {}),
    });
  }
  return [...found.values()];
}

/** Without udev, nobody but blkid itself knows what is on a device. */
export function blkidCommand(devices: readonly BlockDevice[]): [string, ...string[]] {
  return ["blkid", "--probe", "--output=export", ...devices.map(({ device }) => device)];
}

/** Devices with what `blkid --probe --output=export` says of them. Pure. */
export function withTags(devices: readonly BlockDevice[], blkid: string): BlockDevice[] {
  const byDevice = new Map(
    blkid.split("\n\n").map((block) => {
      const tags = tagsOf(block);
      return [tags.get("DEVNAME"), tags];
    }),
  );
  return devices.map((device) => {
    const tags = byDevice.get(device.device);
    const tag = <Key extends string>(key: Key, name: string): { [key in Key]?: string } => {
      const value = tags?.get(name);
      return value === undefined ? {} : ({ [key]: value } as { [key in Key]: string });
    };
    return {
      ...device,
      type: tags?.get("TYPE") ?? "",
      ...tag("uuid", "UUID"),
      ...tag("label", "LABEL"),
      ...tag("partitionUuid", "PART_ENTRY_UUID"),
      ...tag("partitionLabel", "PART_ENTRY_NAME"),
    };
  });
}

/** `KEY=value` lines; characters that a shell would read are behind a backslash. */
function tagsOf(block: string): Map<string, string> {
  return new Map(
    block.split("\n").flatMap((line) => {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value!.replaceAll(/\\(.)/g, "$1")] as const];
    }),
  );
}

/** `vdb3`: the helper's disks are in the order they were given. */
function partitionOf(name: string): FoundFilesystem["partition"] {
  const [, letter, number] = /^vd([a-z])(\d+)$/.exec(name) ?? [];
  return letter === undefined ? undefined : { disk: letter.codePointAt(0)! - 97, number: Number(number) };
}
