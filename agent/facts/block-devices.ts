import type { Run } from "../system/run.ts";
import type { DiskFacts, PartitionFacts } from "./facts.ts";
import { probeSignatures } from "./probe-signatures.ts";
import type { Tree } from "./tree.ts";

/** sysfs counts `size` and `start` in these, whatever the disk's own sector size. */
const sysfsSectorBytes = 512;
/** Things in /sys/block that are no disks to convert: optical, floppy, eMMC boot areas, and what is stacked on others. */
const notDisks = /^(sr|fd|loop|ram|zram|nbd|dm-|md|mtdblock|mmcblk\d+(boot|rpmb))/;

export async function readDisks(tree: Tree, run: Run): Promise<DiskFacts[]> {
  const disks: DiskFacts[] = [];
  for (const name of await tree.list("/sys/block")) {
    if (notDisks.test(name)) continue;
    const sizeBytes = Number(await tree.text(`/sys/block/${name}/size`)) * sysfsSectorBytes;
    if (sizeBytes > 0 && (await tree.resolve(`/sys/block/${name}/device`)))
      disks.push(await readDisk(tree, run, name, sizeBytes));
  }
  return disks;
}

async function readDisk(tree: Tree, run: Run, name: string, sizeBytes: number): Promise<DiskFacts> {
  const folder = `/sys/block/${name}`;
  const path = devicePath(name);
  const partitions: PartitionFacts[] = [];
  const holders = new Set(await tree.list(`${folder}/holders`));
  for (const child of await tree.list(folder)) {
    const number = Number(await tree.text(`${folder}/${child}/partition`));
    if (!number) continue;
    for (const holder of await tree.list(`${folder}/${child}/holders`)) holders.add(holder);
    partitions.push(await readPartition(tree, run, `${folder}/${child}`, child, number));
  }
  const { tableType, tableId } = await probeSignatures(run, path);
  const serial = await readSerial(tree, folder);
  const model = await tree.text(`${folder}/device/model`);
  return {
    name,
    path,
    sizeBytes,
    logicalSectorBytes: Number(await tree.text(`${folder}/queue/logical_block_size`)) || sysfsSectorBytes,
    ...(serial ? { serial } : {}),
    ...(model ? { model } : {}),
    readOnly: (await tree.text(`${folder}/ro`)) === "1",
    removable: (await tree.text(`${folder}/removable`)) === "1",
    ...(tableType === "dos" || tableType === "gpt" ? { tableType } : {}),
    ...(tableId ? { tableId } : {}),
    partitions: partitions.sort((one, other) => one.number - other.number),
    holders: [...holders].sort(),
  };
}

async function readPartition(
  tree: Tree,
  run: Run,
  folder: string,
  name: string,
  number: number,
): Promise<PartitionFacts> {
  const sizeBytes = Number(await tree.text(`${folder}/size`)) * sysfsSectorBytes;
  // The container of logical partitions shows 1 KiB of itself; there is nothing to find in it.
  const { type, uuid } = sizeBytes > 1024 ? await probeSignatures(run, devicePath(name)) : {};
  return {
    name,
    path: devicePath(name),
    number,
    startBytes: Number(await tree.text(`${folder}/start`)) * sysfsSectorBytes,
    sizeBytes,
    ...(type ? { filesystemType: type } : {}),
    ...(uuid ? { filesystemUuid: uuid } : {}),
  };
}

/** virtio gives `serial`, NVMe `device/serial`, SCSI the unit serial number page (4 bytes of head, then ASCII). */
async function readSerial(tree: Tree, folder: string): Promise<string | undefined> {
  const plain = (await tree.text(`${folder}/serial`)) || (await tree.text(`${folder}/device/serial`));
  if (plain) return plain;
  const page = await tree.bytes(`${folder}/device/vpd_pg80`);
  const text = page
    ?.subarray(4)
    .toString("latin1")
    .replace(/[^\x21-\x7e]/g, "");
  return text || undefined;
}

/** Kernel names write `/` as `!` (`cciss!c0d0`). */
export function devicePath(kernelName: string): string {
  return `/dev/${kernelName.replaceAll("!", "/")}`;
}
