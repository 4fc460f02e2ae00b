import { stat } from "node:fs/promises";
import { join } from "node:path";
import { sha256File } from "../../agent/system/files.ts";
import type { PackageFile, PackageFileName } from "../../format/manifest.ts";

/** Size and digest of a finished file of the package, read back from the disk. */
export async function describeFile(folder: string, name: PackageFileName): Promise<PackageFile> {
  const path = join(folder, name);
  return { name, size: (await stat(path)).size, sha256: await sha256File(path) };
}
