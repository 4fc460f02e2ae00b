import { ByteReader } from "../../rootfs/byte-reader.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import { normalisedPath } from "../archive-path.ts";
import { expanded } from "../image/scan-layers.ts";
import { fillStandIn, linkStandIn } from "../stand-ins.ts";
import { readTar } from "../tar/read-tar.ts";
import type { TarOf } from "./remembered-tars.ts";

/** Copies these files to their stand-ins below `root`; a file with two names is one there too. */
export async function fetchFiles(tar: TarOf, paths: readonly RawPath[], root: string): Promise<void> {
  if (paths.length === 0) return;
  const wanted = new Set(paths);
  const reader = new ByteReader(tar(paths));
  try {
    for await (const { header, content } of readTar(reader, { mayLackEnd: false })) {
      const path = normalisedPath(header.path);
      if (!wanted.has(path)) continue;
      const target = normalisedPath(header.linkTarget);
      if (header.type === "hardlink" && wanted.has(target)) await linkStandIn(root, path, target);
      else if (header.type === "file") await fillStandIn(root, path, expanded(header, content));
    }
    while (await reader.skip(1024 * 1024));
  } finally {
    await reader.close();
  }
}
