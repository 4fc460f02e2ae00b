import { ByteReader } from "../rootfs/byte-reader.ts";
import { shownPath } from "../rootfs/raw-path.ts";
import { readTarHeaders, type TarHeader } from "../rootfs/tar-headers.ts";
import { decompressed } from "../system/decompress.ts";

/** The entries of rootfs.tar.xz in archive order, paths for people. */
export async function listRootfs(path: string): Promise<{ path: string; type: TarHeader["type"] }[]> {
  const reader = new ByteReader(decompressed(path, "xz"));
  const entries: { path: string; type: TarHeader["type"] }[] = [];
  try {
    for await (const header of readTarHeaders(reader))
      entries.push({ path: shownPath(header.path), type: header.type });
  } finally {
    await reader.close();
  }
  return entries;
}
