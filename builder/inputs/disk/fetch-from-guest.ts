import { createWriteStream } from "node:fs";
import { link, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { onDisk, type RawPath } from "../../rootfs/raw-path.ts";
import { normalisedPath } from "../archive-path.ts";
import { expanded } from "../image/scan-layers.ts";
import { readTar } from "../tar/read-tar.ts";
import type { DiskGuest } from "./disk-guest.ts";

/** Copies these files to their stand-ins below `root`; a file with two names is one there too. */
export async function fetchFromGuest(
  guest: DiskGuest,
  paths: readonly RawPath[],
  root: string,
): Promise<void> {
  if (paths.length === 0) return;
  const wanted = new Set(paths);
  const reader = new ByteReader(guest.tar(paths));
  try {
    for await (const { header, content } of readTar(reader, { mayLackEnd: false })) {
      const path = normalisedPath(header.path);
      if (!wanted.has(path)) continue;
      const target = normalisedPath(header.linkTarget);
      if (header.type === "hardlink" && wanted.has(target)) {
        await rm(onDisk(root, path), { force: true });
        await link(onDisk(root, target), onDisk(root, path));
      } else if (header.type === "file")
        await pipeline(
          Readable.from(expanded(header, content), { objectMode: false }),
          createWriteStream(onDisk(root, path)),
        );
    }
    while (await reader.skip(1024 * 1024));
  } finally {
    await reader.close();
  }
}
