import { crc32 } from "../../../format/crc32.ts";
import { MiB } from "../../../format/sizes.ts";

const sectorBytes = 512;
const extentBytes = MiB;
const metadataOffset = 4096;
/** Extent 0 lies here on the physical volume. */
const dataOffset = MiB;

export interface ImageVolume {
  name: string;
  content: Buffer;
}

/**
 * A physical volume whose logical volumes already have content, without a device-mapper: label, metadata area and text as
 * LVM2 writes them, so that GRUB and LVM itself read it.
 */
export function lvmImage(group: string, volumes: readonly ImageVolume[]): Buffer {
  const sizes = volumes.map(({ content }) => Math.ceil(content.length / extentBytes));
  const total = sizes.reduce((sum, extents) => sum + extents, 0);
  const image = Buffer.alloc(dataOffset + total * extentBytes);
  const uuid = "dualroot".repeat(4);

  const label = image.subarray(sectorBytes, 2 * sectorBytes);
  label.write("LABELONE", 0);
  label.writeBigUInt64LE(1n, 8);
  label.writeUInt32LE(32, 20);
  label.write("LVM2 001", 24);
  label.write(uuid, 32);
  label.writeBigUInt64LE(BigInt(image.length), 64);
  // Data areas, then metadata areas; each list ends with a pair of zeros.
  label.writeBigUInt64LE(BigInt(dataOffset), 72);
  label.writeBigUInt64LE(BigInt(metadataOffset), 104);
  label.writeBigUInt64LE(BigInt(dataOffset - metadataOffset), 112);

  label.writeUInt32LE(lvmChecksum(label.subarray(20)), 16);

  const text = metadataText(group, uuid, volumes, sizes, total);
  const area = image.subarray(metadataOffset, dataOffset);
  area.write(" LVM2 x[5A%r0N*>", 4);
  area.writeUInt32LE(1, 20);
  area.writeBigUInt64LE(BigInt(metadataOffset), 24);
  area.writeBigUInt64LE(BigInt(area.length), 32);
  area.writeBigUInt64LE(BigInt(sectorBytes), 40);
  area.writeBigUInt64LE(BigInt(text.length + 1), 48);
  area.write(text, sectorBytes);
  area.writeUInt32LE(lvmChecksum(area.subarray(sectorBytes, sectorBytes + text.length + 1)), 56);
  area.writeUInt32LE(lvmChecksum(area.subarray(4, sectorBytes)), 0);

  let extent = 0;
  volumes.forEach(({ content }, index) => {
    image.set(content, dataOffset + extent * extentBytes);
    extent += sizes[index]!;
  });
  return image;
}

/** Not inverted, and with a start of its own. */
function lvmChecksum(bytes: Uint8Array): number {
  return ~crc32(bytes, 0xf597a6cf) >>> 0;
}

function metadataText(
  group: string,
  uuid: string,
  volumes: readonly ImageVolume[],
  sizes: readonly number[],
  total: number,
): string {
  let extent = 0;
  const logical = volumes.map(({ name }, index) => {
    const start = extent;
    extent += sizes[index]!;
    return `${name} {
id = "${dashed(String(index).padStart(32, "v"))}"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
segment_count = 1
segment1 {
start_extent = 0
extent_count = ${sizes[index]}
type = "striped"
stripe_count = 1
stripes = [
"pv0", ${start}
]
}
}`;
  });
  return `${group} {
id = "${dashed("group".padEnd(32, "g"))}"
seqno = 1
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = ${extentBytes / sectorBytes}
max_lv = 0
max_pv = 0
metadata_copies = 0
physical_volumes {
pv0 {
id = "${dashed(uuid)}"
device = "/dev/sda3"
status = ["ALLOCATABLE"]
flags = []
dev_size = ${(total * extentBytes + dataOffset) / sectorBytes}
pe_start = ${dataOffset / sectorBytes}
pe_count = ${total}
}
}
logical_volumes {
${logical.join("\n")}
}
}
contents = "Text Format Volume Group"
version = 1
description = ""
creation_host = "test"
creation_time = 1700000000
`;
}

function dashed(id: string): string {
  return [
    id.slice(0, 6),
    id.slice(6, 10),
    id.slice(10, 14),
    id.slice(14, 18),
    id.slice(18, 22),
    id.slice(22, 26),
    id.slice(26),
  ].join("-");
}
