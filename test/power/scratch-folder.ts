import { mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GiB } from "../../format/sizes.ts";

const memoryFolder = "/dev/shm";

/** A new folder for disk images that live for a minute: in memory where there is plenty, else in the temporary folder. */
export async function scratchFolder(): Promise<string> {
  const { bavail, bsize } = await statfs(memoryFolder).catch(() => ({ bavail: 0, bsize: 0 }));
  return mkdtemp(join(bavail * bsize > 6 * GiB ? memoryFolder : tmpdir(), "dualroot-power-"));
}
