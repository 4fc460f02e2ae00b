import { open, type FileHandle } from "node:fs/promises";

/** Bytes of a disk, in the order of what lies in them. */
export interface DiskArea {
  startBytes: number;
  sizeBytes: number;
}

const sectorBytes = 512;
const labelBytes = 4 * sectorBytes;

/** Where partition `number` of a GPT disk lies. */
export async function partitionArea(disk: string, number: number): Promise<DiskArea> {
  return withFile(disk, async (file) => {
    const entry = await bytesAt(file, 2 * sectorBytes + (number - 1) * 128, 128);
    const first = Number(entry.readBigUInt64LE(32));
    const last = Number(entry.readBigUInt64LE(40));
    if (first === 0) throw new Error(`${disk} has no partition ${number}`);
    return { startBytes: first * sectorBytes, sizeBytes: (last - first + 1) * sectorBytes };
  });
}

/**
 * Where a logical volume lies, read from LVM's own text on the disk, so that a test sees it without a kernel that knows LVM.
 * Linear segments on one physical volume only.
 */
export async function volumeAreas(disk: string, volume: string): Promise<DiskArea[]> {
  const { startBytes } = await partitionArea(disk, 3);
  const text = await withFile(disk, (file) => readMetadata(file, startBytes));
  const number = (pattern: RegExp, from: string): number => {
    const value = pattern.exec(from)?.[1];
    if (value === undefined) throw new Error(`LVM's text on ${disk} has no ${String(pattern)}`);
    return Number(value);
  };
  const extentBytes = number(/\bextent_size = (\d+)/, text) * sectorBytes;
  const firstByte = startBytes + number(/\bpe_start = (\d+)/, text) * sectorBytes;
  const block = new RegExp(`\\n${volume} \\{\\n([\\s\\S]*?\\n\\})\\n`).exec(text)?.[1];
  if (block === undefined) throw new Error(`there is no volume ${volume} on ${disk}`);
  return [...block.matchAll(/\nsegment\d+ \{\n([\s\S]*?)\n\}/g)].map(([, segment]) => ({
    startBytes: firstByte + number(/"pv0", (\d+)/, segment!) * extentBytes,
    sizeBytes: number(/\bextent_count = (\d+)/, segment!) * extentBytes,
  }));
}

/** LVM2's on-disk format: a label in one of the first sectors, behind it the place of the metadata area, whose header names the newest text. */
async function readMetadata(file: FileHandle, start: number): Promise<string> {
  const head = await bytesAt(file, start, labelBytes);
  const label = head.indexOf("LABELONE");
  if (label < 0 || label % sectorBytes !== 0) throw new Error("partition 3 is no physical volume");
  // The PV header: 32 bytes of UUID, 8 of size, then lists of (offset, size) that end with zeros: data areas, metadata areas.
  let at = label + head.readUInt32LE(label + 20) + 40;
  while (head.readBigUInt64LE(at) !== 0n) at += 16;
  const area = {
    start: start + Number(head.readBigUInt64LE(at + 16)),
    size: Number(head.readBigUInt64LE(at + 24)),
  };
  const header = await bytesAt(file, area.start, sectorBytes);
  const offset = Number(header.readBigUInt64LE(40));
  const size = Number(header.readBigUInt64LE(48));
  // A ring behind the header's sector.
  const first = Math.min(size, area.size - offset);
  const parts = [await bytesAt(file, area.start + offset, first)];
  if (first < size) parts.push(await bytesAt(file, area.start + sectorBytes, size - first));
  return Buffer.concat(parts).toString("utf8").replaceAll("\t", "");
}

async function bytesAt(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0, size, position);
  return bytes;
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, "r");
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
