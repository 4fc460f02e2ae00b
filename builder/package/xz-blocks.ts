import { open, type FileHandle } from "node:fs/promises";

const footerBytes = 12;
const largestIndexBytes = 16 * 1024 * 1024;

export interface XzBlocks {
  /** So many parts can be decoded at the same time. */
  blocks: number;
  uncompressedBytes: number;
}

/**
 * Reads the index at the end of an .xz file of one stream (The .xz File Format 1.1.0, sections 2.1.2 and 4).
 * undefined when there is none: `inspect` shows what it can, `verify` says what is wrong.
 */
export async function xzBlocks(path: string): Promise<XzBlocks | undefined> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const footer = await readAt(file, size - footerBytes, footerBytes);
    if (footer?.toString("latin1", 10) !== "YZ") return undefined;
    const indexBytes = (footer.readUInt32LE(4) + 1) * 4;
    if (indexBytes > largestIndexBytes) return undefined;
    const index = await readAt(file, size - footerBytes - indexBytes, indexBytes);
    return index?.[0] === 0 ? parseIndex(index) : undefined;
  } finally {
    await file.close();
  }
}

function parseIndex(index: Buffer): XzBlocks | undefined {
  let at = 1;
  /** Seven bits per byte, lowest first; the highest bit says that more follow. */
  const next = (): number => {
    let value = 0;
    for (let factor = 1; at < index.length && factor <= 2 ** 56; factor *= 128) {
      const byte = index[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  const blocks = next();
  let uncompressedBytes = 0;
  for (let block = 0; block < blocks && at < index.length; block++) {
    next();
    uncompressedBytes += next();
  }
  return Number.isSafeInteger(blocks) && Number.isSafeInteger(uncompressedBytes)
    ? { blocks, uncompressedBytes }
    : undefined;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  if (position < 0) return undefined;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return bytesRead === length ? buffer : undefined;
}
