import type { RawPath } from "../../rootfs/raw-path.ts";
import type { Entry } from "../../rootfs/walk.ts";
import { repackTar } from "../tar/repack-tar.ts";
import type { DiskGuest } from "./disk-guest.ts";

/** A tar of the kept entries, as a folder's is made on this host, and the digests of its files, in one reading of the disks. */
export function packFromGuest(
  guest: DiskGuest,
  kept: readonly Entry[],
  sourceDateEpoch: number,
): { chunks: AsyncIterable<Uint8Array>; digests: ReadonlyMap<RawPath, string> } {
  const digests = new Map<RawPath, string>();
  const paths = ["", ...kept.map(({ path }) => path)];
  const chunks = repackTar(guest.tar(paths), { expected: paths.length, sourceDateEpoch, digests });
  return { chunks, digests };
}
