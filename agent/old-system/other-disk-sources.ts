import * as z from "zod";
import { readVolumeGroups } from "../facts/volume-groups.ts";
import type { Run } from "../system/run.ts";

const text = z.string().nullish();
const devicesSchema = z.object({
  blockdevices: z.array(
    z.object({
      path: z.string(),
      type: text,
      uuid: text,
      label: text,
      partuuid: text,
      partlabel: text,
    }),
  ),
});
const columns = "PATH,TYPE,UUID,LABEL,PARTUUID,PARTLABEL";

/** How an fstab may name what lies on other disks than the converted one: those are as they were. */
export async function otherDiskSources(run: Run, convertedDisk: string): Promise<Set<string>> {
  const sources = new Set<string>();
  const list = async (args: string[]): Promise<z.infer<typeof devicesSchema>["blockdevices"]> => {
    const { stdout } = await run("lsblk", ["--json", "--output", columns, ...args]);
    return devicesSchema.parse(JSON.parse(stdout)).blockdevices;
  };
  for (const disk of await list(["--nodeps"])) {
    if (disk.type !== "disk" || disk.path === convertedDisk) continue;
    for (const device of await list(["--list", disk.path])) {
      sources.add(device.path);
      for (const [key, value] of [
        ["UUID", device.uuid],
        ["LABEL", device.label],
        ["PARTUUID", device.partuuid],
        ["PARTLABEL", device.partlabel],
      ] as const)
        if (value) sources.add(`${key}=${value}`);
    }
  }
  // Volumes need not be active here.
  for (const { name, physicalVolumes, volumes } of (await readVolumeGroups(run)).groups) {
    if (physicalVolumes.some((path) => path.startsWith(convertedDisk))) continue;
    for (const volume of volumes ?? []) {
      sources.add(`/dev/${name}/${volume.name}`);
      sources.add(`/dev/mapper/${name.replaceAll("-", "--")}-${volume.name.replaceAll("-", "--")}`);
    }
  }
  return sources;
}
