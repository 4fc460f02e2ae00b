import { stat } from "node:fs/promises";
import { GiB } from "../../format/sizes.ts";
import { decompressed } from "../system/decompress.ts";
import { compressionOfFile } from "./archive-format.ts";
import { ByteReader } from "./byte-reader.ts";

const headerBytes = 110;
const mostNameBytes = 4096;
const mostUnpackedBytes = 2 * GiB;

/** Names of all files in an initramfs: plain cpio archives first (early microcode), then usually one compressed one. */
export async function initramfsContents(path: string): Promise<string[]> {
  const { size } = await stat(path);
  const names: string[] = [];
  for (let offset = 0; offset < size;) {
    const compression = await compressionOfFile(path, offset);
    const reader = new ByteReader(decompressed(path, compression, offset));
    try {
      if (compression !== "none") {
        // What follows a compressed archive cannot be found without decoding it; none of the tools puts anything there.
        await readArchives(reader, names);
        return names;
      }
      if (!(await readArchive(reader, names))) return names;
      offset += await paddingAfter(reader, reader.offset);
    } finally {
      await reader.close();
    }
  }
  return names;
}

async function readArchives(reader: ByteReader, names: string[]): Promise<void> {
  while (await readArchive(reader, names)) {
    // Concatenated archives inside one compressed stream are legal.
  }
}

/** One newc archive; false when there is none here. */
async function readArchive(reader: ByteReader, names: string[]): Promise<boolean> {
  for (;;) {
    const first = await reader.read(4);
    if (first.length < 4) return false;
    if (first.equals(Buffer.alloc(4))) continue;
    const header = Buffer.concat([first, await reader.read(headerBytes - 4)]).toString("latin1");
    if (!/^07070[12][0-9A-Fa-f]{104}$/.test(header)) return false;
    const field = (index: number) => Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const [dataBytes, nameBytes] = [field(6), field(11)];
    if (nameBytes === 0 || nameBytes > mostNameBytes || reader.offset + dataBytes > mostUnpackedBytes)
      return false;
    const name = (await reader.read(align(headerBytes + nameBytes) - headerBytes)).toString(
      "latin1",
      0,
      nameBytes - 1,
    );
    if (!(await reader.skip(align(dataBytes)))) return false;
    if (name === "TRAILER!!!") return true;
    names.push(name.replace(/^\.?\//, ""));
  }
}

/** Offset of what follows: zeros fill the space between archives. */
async function paddingAfter(reader: ByteReader, end: number): Promise<number> {
  for (;;) {
    const at = reader.offset;
    const block = await reader.read(4);
    if (block.length < 4 || !block.equals(Buffer.alloc(block.length))) return Math.max(end, at);
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
