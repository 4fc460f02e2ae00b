import { joinPieces, mapPieces, type Piece } from "../plan/map-to-disk.ts";
import type { Run } from "../system/run.ts";
import { kernelNameOf } from "./device-stack.ts";
import type { Tree } from "./tree.ts";

/** Where each part of a block device lies on the one disk below it, or why that cannot be told. */
export type DiskMap = { disk: string; pieces: Piece[] } | { disk?: undefined; unsupported: string };

/** sysfs and device-mapper tables count in these. */
const sectorBytes = 512;
const deepest = 8;

/** Follows partitions and linear mappings down; `device` is `major:minor`. Looks at the tables in use, not at LVM's plans. */
export async function readDiskMap(tree: Tree, run: Run, device: string, depth = 0): Promise<DiskMap> {
  const name = await kernelNameOf(tree, device);
  if (name === undefined || depth > deepest) return { unsupported: `the device ${device} is not known` };
  if (name.startsWith("dm-")) return readMapped(tree, run, device, depth);
  const folder = await tree.resolve(`/sys/class/block/${name}`);
  const sizeBytes = Number(await tree.text(`${folder}/size`)) * sectorBytes;
  const start = await tree.text(`${folder}/start`);
  if (!folder || !(sizeBytes > 0)) return { unsupported: `${name} has no size` };
  if ((await tree.text(`${folder}/partition`)) === undefined || start === undefined) {
    if ((await tree.resolve(`${folder}/device`)) === undefined) return { unsupported: `${name} is no disk` };
    return { disk: name, pieces: [{ offsetBytes: 0, startBytes: 0, sizeBytes }] };
  }
  const disk = folder.split("/").at(-2)!;
  return { disk, pieces: [{ offsetBytes: 0, startBytes: Number(start) * sectorBytes, sizeBytes }] };
}

async function readMapped(tree: Tree, run: Run, device: string, depth: number): Promise<DiskMap> {
  const [major = "", minor = ""] = device.split(":");
  const { stdout } = await run("dmsetup", ["table", "--major", major, "--minor", minor]);
  const pieces: Piece[] = [];
  let disk: string | undefined;
  for (const line of stdout.split("\n").filter((text) => text.trim() !== "")) {
    const target = parseLinear(line);
    if (!target) return { unsupported: `${device} is mapped in another way than linear` };
    const lower = await readDiskMap(tree, run, target.device, depth + 1);
    if (lower.disk === undefined) return lower;
    if (disk !== undefined && disk !== lower.disk) return { unsupported: `${device} lies on several disks` };
    disk = lower.disk;
    const mapped = mapPieces([target.piece], lower.pieces);
    if (!mapped) return { unsupported: `${device} reaches behind the end of ${target.device}` };
    pieces.push(...mapped);
  }
  return disk === undefined
    ? { unsupported: `${device} is mapped to nothing` }
    : { disk, pieces: joinPieces(pieces) };
}

/** `START COUNT linear MAJOR:MINOR OFFSET`, in sectors. */
export function parseLinear(line: string): { device: string; piece: Piece } | undefined {
  const match = /^(\d{1,15}) (\d{1,15}) linear (\d+:\d+) (\d{1,15})$/.exec(line.trim());
  if (!match) return undefined;
  const [first, count, start] = [match[1], match[2], match[4]].map((text) => Number(text) * sectorBytes);
  if (![first, count, start].every((bytes) => Number.isSafeInteger(bytes)) || !count) return undefined;
  return { device: match[3]!, piece: { offsetBytes: first!, startBytes: start!, sizeBytes: count } };
}
