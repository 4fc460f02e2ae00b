import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { userError } from "../../../format/errors.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { compressionOf, type Compression } from "../../rootfs/archive-format.ts";
import { decompressed, decompressedStream } from "../../system/decompress.ts";

/** A run of bytes in a file, or in a compressed file's content. */
export interface Blob {
  /** For messages. */
  name: string;
  path: string;
  /** Of the file around it. */
  compression: Compression;
  offset: number;
  sizeBytes: number;
}

export async function* blobBytes(blob: Blob): AsyncGenerator<Uint8Array> {
  if (blob.sizeBytes === 0) return;
  if (blob.compression === "none") {
    const { path, offset, sizeBytes } = blob;
    yield* createReadStream(path, {
      start: offset,
      end: offset + sizeBytes - 1,
      highWaterMark: 1024 * 1024,
    }) as AsyncIterable<Buffer>;
    return;
  }
  const reader = new ByteReader(decompressed(blob.path, blob.compression));
  try {
    if (await reader.skip(blob.offset)) yield* reader.chunks(blob.sizeBytes);
  } finally {
    await reader.close();
  }
}

/** All of a small blob. */
export async function blobContent(blob: Blob, mostBytes: number): Promise<Buffer> {
  if (blob.sizeBytes > mostBytes)
    throw userError({
      code: "image-damaged",
      message: `${blob.name} has ${blob.sizeBytes} bytes, at most ${mostBytes} are read`,
      hint: "Export the image again.",
    });
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobBytes(blob)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** SHA-256, lower-case hex, of what is expected; the second is of the uncompressed bytes. */
export interface ExpectedDigests {
  stored?: string;
  plain?: string;
}

/** A layer's tar, its digests checked at the end: so whoever reads all of it knows that it is what the image says. */
export async function* blobTar(blob: Blob, expected: ExpectedDigests): AsyncGenerator<Uint8Array> {
  const [stored, plain] = [createHash("sha256"), createHash("sha256")];
  const source = blobBytes(blob);
  const first = await source.next();
  const head = first.done ? Buffer.alloc(0) : first.value;
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    yield* source;
  };
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of all()) {
      stored.update(chunk);
      yield chunk;
    }
  };
  const compression = compressionOf(head);
  for await (const chunk of decompressedStream(
    Readable.from(hashed(), { objectMode: false }),
    compression,
    blob.name,
  )) {
    plain.update(chunk);
    yield chunk;
  }
  compare(blob.name, expected.stored, stored.digest("hex"));
  compare(blob.name, expected.plain, plain.digest("hex"), " once it is unpacked");
}

export function compare(name: string, expected: string | undefined, found: string, when = ""): void {
  if (expected !== undefined && expected !== found)
    throw userError({
      code: "image-digest-mismatch",
      message: `${name} has the SHA-256 ${found}${when}, the image says ${expected}`,
      hint: "The image is damaged: export or copy it again.",
    });
}
