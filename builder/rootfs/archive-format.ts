import { open } from "node:fs/promises";

export type Compression = "none" | "gzip" | "xz" | "zstd" | "lz4" | "lzma" | "bzip2";

const magics: [Compression, Buffer][] = [
  ["gzip", Buffer.from("1f8b", "hex")],
  ["xz", Buffer.from("fd377a585a00", "hex")],
  ["zstd", Buffer.from("28b52ffd", "hex")],
  // The frame that the kernel reads, and the one that the lz4 program writes.
  ["lz4", Buffer.from("02214c18", "hex")],
  ["lz4", Buffer.from("04224d18", "hex")],
  ["bzip2", Buffer.from("425a68", "hex")],
  ["lzma", Buffer.from("5d0000", "hex")],
];

/** By content, not by name. */
export function compressionOf(head: Uint8Array): Compression {
  return magics.find(([, magic]) => magic.equals(head.subarray(0, magic.length)))?.[0] ?? "none";
}

export async function compressionOfFile(path: string, offset = 0): Promise<Compression> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(8);
    const { bytesRead } = await file.read(head, 0, head.length, offset);
    return compressionOf(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
