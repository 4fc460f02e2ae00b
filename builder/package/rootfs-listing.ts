import { ByteReader } from "../rootfs/byte-reader.ts";
import { shownPath } from "../rootfs/raw-path.ts";
import { readTar } from "../inputs/tar/read-tar.ts";
import type { TarType } from "../inputs/tar/tar-header.ts";
import { decompressed } from "../system/decompress.ts";

/** The entries of rootfs.tar.xz in archive order, paths for people. */
export async function listRootfs(path: string): Promise<{ path: string; type: TarType }[]> {
  const reader = new ByteReader(decompressed(path, "xz"));
  const entries: { path: string; type: TarType }[] = [];
  try {
    for await (const { header } of readTar(reader, { mayLackEnd: false }))
      entries.push({ path: shownPath(header.path), type: header.type });
  } finally {
    await reader.close();
  }
  return entries;
}
