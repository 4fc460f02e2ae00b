import { createHash, type Hash } from "node:crypto";
import { InternalError } from "../../../format/errors.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import type { Entry } from "../../rootfs/walk.ts";
import { normalisedPath } from "../archive-path.ts";
import { expanded } from "../image/scan-layers.ts";
import { readTar } from "../tar/read-tar.ts";
import type { TarEntry, TarHeader } from "../tar/tar-header.ts";
import { endOfTar, paddingOf, tarHeaderBlocks } from "../tar/write-tar.ts";
import type { DiskGuest } from "./disk-guest.ts";

/** A tar of the kept entries, as a folder's is made on this host, and the digests of its files, in one reading of the disks. */
export function packFromGuest(
  guest: DiskGuest,
  kept: readonly Entry[],
  sourceDateEpoch: number,
): { chunks: AsyncIterable<Uint8Array>; digests: ReadonlyMap<RawPath, string> } {
  const digests = new Map<RawPath, string>();
  const paths = ["", ...kept.map(({ path }) => path)];
  return { chunks: repacked(guest.tar(paths), paths.length, sourceDateEpoch, digests), digests };
}

async function* repacked(
  tar: AsyncIterable<Uint8Array>,
  expected: number,
  sourceDateEpoch: number,
  digests: Map<RawPath, string>,
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
      const path = normalisedPath(header.path);
      if (header.type === "file") {
        const hash = createHash("sha256");
        for await (const chunk of digested({ header, content }, hash)) yield counted(chunk);
        yield counted(paddingOf(header.storedBytes));
        digests.set(path, hash.digest("hex"));
      } else if (header.type === "hardlink") {
        const digest = digests.get(normalisedPath(header.linkTarget));
        if (digest !== undefined) digests.set(path, digest);
      }
    }
    while (await reader.skip(1024 * 1024));
  } finally {
    await reader.close();
  }
  if (entries !== expected)
    throw new InternalError(`the helper packed ${entries} entries where ${expected} were listed`);
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
