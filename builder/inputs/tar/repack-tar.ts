import { createHash, type Hash } from "node:crypto";
import { InternalError } from "../../../format/errors.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import { normalisedPath } from "../archive-path.ts";
import { expanded } from "../image/scan-layers.ts";
import { readTar } from "./read-tar.ts";
import type { TarEntry, TarHeader } from "./tar-header.ts";
import { endOfTar, paddingOf, tarHeaderBlocks } from "./write-tar.ts";

export interface RepackOptions {
  /** How many entries it must have. */
  expected: number;
  /** Seconds: later modification times are set back to it. */
  sourceDateEpoch: number;
  /** Takes the SHA-256 of each file; without it nothing is digested. */
  digests?: Map<RawPath, string>;
}

/**
 * GNU tar's archive with headers of our own: tar lists attributes in whatever order the filesystem does, and names its own
 * process in those of sparse files. So the same tree gives the same bytes wherever it lies.
 */
export async function* repackTar(
  tar: AsyncIterable<Uint8Array>,
  { expected, sourceDateEpoch, digests }: RepackOptions,
): AsyncGenerator<Buffer> {
  const reader = new ByteReader(tar);
  let [bytes, entries] = [0, 0];
  const counted = (block: Buffer): Buffer => {
    bytes += block.length;
    return block;
  };
  try {
    for await (const { header, content } of readTar(reader, { mayLackEnd: false })) {
      entries += 1;
      yield counted(tarHeaderBlocks(packedHeader(header, sourceDateEpoch), sourceDateEpoch));
      if (header.type === "file") {
        const hash = digests && createHash("sha256");
        for await (const chunk of hash ? digested({ header, content }, hash) : content) yield counted(chunk);
        yield counted(paddingOf(header.storedBytes));
        if (hash) digests.set(normalisedPath(header.path), hash.digest("hex"));
      } else if (header.type === "hardlink") {
        const digest = digests?.get(normalisedPath(header.linkTarget));
        if (digest !== undefined) digests!.set(normalisedPath(header.path), digest);
      }
    }
    while (await reader.skip(1024 * 1024));
  } finally {
    await reader.close();
  }
  if (entries !== expected)
    throw new InternalError(`tar packed ${entries} entries where ${expected} were listed`);
  yield endOfTar(bytes);
}

/** The stored content as it is; the digest is of the file, with its holes as zeros. */
async function* digested({ header, content }: TarEntry, hash: Hash): AsyncGenerator<Buffer> {
  if (!header.runs) {
    for await (const chunk of content) {
      hash.update(chunk);
      yield chunk;
    }
    return;
  }
  const stored: Buffer[] = [];
  const noted = (async function* () {
    for await (const chunk of content) {
      stored.push(chunk);
      yield chunk;
    }
  })();
  for await (const piece of expanded(header, noted)) {
    hash.update(piece);
    yield* stored.splice(0);
  }
  yield* stored;
}

/** A link carries its file's metadata, but neither content nor attributes. */
function packedHeader(header: TarHeader, sourceDateEpoch: number): TarHeader {
  const modifiedAt = Math.min(header.modifiedAt, sourceDateEpoch);
  return { ...header, modifiedAt, ...(header.type === "hardlink" ? { xattrs: new Map() } : {}) };
}
