import { InternalError } from "../../format/errors.ts";
import type { Manifest } from "../../format/manifest.ts";

/** Size of a package file by its name; the schema has every one of them listed. */
export function packageFileBytes(manifest: Manifest, name: string): number {
  const file = manifest.files.find((candidate) => candidate.name === name);
  if (!file) throw new InternalError(`the manifest lists no ${name}`);
  return file.size;
}
