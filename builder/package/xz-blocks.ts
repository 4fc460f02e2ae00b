import { open } from "node:fs/promises";
import lzma from "lzma-native";

export interface XzBlocks {
  /** So many parts can be decoded at the same time. */
  blocks: number;
  uncompressedBytes: number;
}

/** Reads the index at the end of an .xz file. undefined when there is none: `inspect` shows what it can, `verify` says what is wrong. */
export async function xzBlocks(path: string): Promise<XzBlocks | undefined> {
  const file = await open(path, "r");
  try {
    return await new Promise((resolve) => {
      lzma.parseFileIndexFD(file.fd, (_error, index) =>
        resolve(index ? { blocks: index.blocks, uncompressedBytes: index.uncompressedSize } : undefined),
      );
    });
  } finally {
    await file.close();
  }
}
