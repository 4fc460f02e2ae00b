import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Compression } from "../../rootfs/archive-format.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { decompressed } from "../../system/decompress.ts";
import { normalisedPath } from "../archive-path.ts";
import { notTar } from "../tar/not-tar.ts";
import { readTar } from "../tar/read-tar.ts";
import type { Blob } from "./blob.ts";

const mostFiles = 100_000;

/** The files of an image by name, whether it lies in a folder or in an archive. */
export type ImageFiles = ReadonlyMap<string, Blob>;

export async function imageFilesOfFolder(folder: string): Promise<ImageFiles> {
  const files = new Map<string, Blob>();
  const names = ["oci-layout", "index.json", "manifest.json"];
  const blobs = await readdir(join(folder, "blobs/sha256")).catch(() => []);
  for (const name of [...names, ...blobs.map((blob) => `blobs/sha256/${blob}`)]) {
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile())
      files.set(name, {
        name,
        path: join(folder, name),
        compression: "none",
        offset: 0,
        sizeBytes: stats.size,
      });
  }
  return files;
}

export async function imageFilesOfArchive(path: string, compression: Compression): Promise<ImageFiles> {
  const files = new Map<string, Blob>();
  const links = new Map<string, string>();
  const reader = new ByteReader(decompressed(path, compression));
  try {
    for await (const { header } of readTar(reader, { mayLackEnd: false })) {
      const name = normalisedPath(header.path);
      if (files.size > mostFiles) throw notTar(`it has more than ${mostFiles} files, too many for an image`);
      if (header.type === "file" && !header.runs)
        files.set(name, { name, path, compression, offset: reader.offset, sizeBytes: header.storedBytes });
      // Old `docker save` gives equal layers once, with links `../OTHER/layer.tar`.
      else if (header.type === "symlink") links.set(name, header.linkTarget);
      else if (header.type === "hardlink") links.set(name, `/${header.linkTarget}`);
    }
    while (await reader.skip(1024 * 1024));
  } finally {
    await reader.close();
  }
  for (const [name, target] of links) {
    const place = target.startsWith("/") ? target : join("/", name, "..", target);
    const blob = files.get(normalisedPath(place));
    if (blob) files.set(name, blob);
  }
  return files;
}
