import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { StepError } from "../../format/errors.ts";
import { openTree, type Tree } from "../facts/tree.ts";
import type { StepOf } from "../plan/step.ts";
import { readMountTable } from "../system/mounts.ts";
import type { StepContext } from "./step-context.ts";

/** Lets go of everything on the disk: mounts, swap, volume groups, other mapped devices. Writes nothing. */
export async function releaseOldSystem(
  step: StepOf<"release-old-system">,
  { run }: StepContext,
): Promise<void> {
  const tree = openTree("/");
  const devices = await devicesOn(tree, basename(step.disk));
  for (const mount of (await readMountTable()).toReversed()) {
    if (devices.some((device) => device.number === mount.device)) await run("umount", [mount.target]);
  }
  for (const path of swapDevices(await readFile("/proc/swaps", "utf8"))) {
    if (devices.some((device) => device.paths.includes(path))) await run("swapoff", [path]);
  }
  // 5: its metadata is half there, after a power cut; what is still in use is found out below.
  for (const group of step.volumeGroups)
    await run("lvm", ["vgchange", "--activate", "n", group], { acceptExitCodes: [5] });
  // What no volume group owns: a kpartx mapping, a leftover of an interrupted run. Tops first.
  for (const device of (await devicesOn(tree, basename(step.disk))).toReversed()) {
    if (device.mapperName) await run("dmsetup", ["remove", device.mapperName]);
  }
  const holders = (await devicesOn(tree, basename(step.disk))).filter((device) => device.isHolder);
  if (holders.length > 0) {
    throw new StepError(`${step.disk} is still used by ${holders.map((holder) => holder.name).join(", ")}`, {
      hint: "Nothing was written. A RAID or a mapping that the ramdisk cannot stop lies on the disk.",
    });
  }
}

interface Device {
  name: string;
  number: string;
  paths: string[];
  isHolder: boolean;
  mapperName?: string;
}

/** The disk, its partitions, and everything stacked on them, lowest first. */
async function devicesOn(tree: Tree, disk: string): Promise<Device[]> {
  const found = new Map<string, Device>();
  const visit = async (name: string, isHolder: boolean): Promise<void> => {
    const folder = `/sys/class/block/${name}`;
    const mapperName = await tree.text(`${folder}/dm/name`);
    found.delete(name); // seen again from higher up: it belongs above what holds it up
    found.set(name, {
      name,
      number: (await tree.text(`${folder}/dev`)) ?? "",
      paths: [`/dev/${name}`, ...(mapperName ? [`/dev/mapper/${mapperName}`] : [])],
      isHolder,
      ...(mapperName ? { mapperName } : {}),
    });
    for (const holder of await tree.list(`${folder}/holders`)) await visit(holder, true);
  };
  await visit(disk, false);
  for (const child of await tree.list(`/sys/block/${disk}`)) {
    if ((await tree.text(`/sys/block/${disk}/${child}/partition`)) !== undefined) await visit(child, false);
  }
  return [...found.values()];
}

function swapDevices(table: string): string[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => line.split(/\s/)[0] || []);
}
