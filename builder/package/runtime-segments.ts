import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { decompressed } from "../system/decompress.ts";

export interface RuntimeSegment {
  offset: number;
  bytes: number;
  compression: "gzip" | "xz";
  sha256: string;
  unpackedBytes: number;
}

/** Reads back the parts of the ramdisk image that stage 1 unpacks: their digests, and what they become. */
export async function readRuntimeSegments(
  image: string,
  segments: readonly { offset: number; bytes: number }[],
  compression: "gzip" | "xz",
): Promise<RuntimeSegment[]> {
  const found: RuntimeSegment[] = [];
  for (const { offset, bytes } of segments) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(image, {
      start: offset,
      end: offset + bytes - 1,
    }) as AsyncIterable<Buffer>)
      hash.update(chunk);
    let unpackedBytes = 0;
    for await (const chunk of decompressed(image, compression, offset, offset + bytes))
      unpackedBytes += chunk.length;
    found.push({ offset, bytes, compression, sha256: hash.digest("hex"), unpackedBytes });
  }
  return found;
}
