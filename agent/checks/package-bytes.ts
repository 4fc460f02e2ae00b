import type { Manifest } from "../../format/manifest.ts";

/** Size of all files of the package together. */
export function packageBytes(manifest: Manifest): number {
  return manifest.files.reduce((total, file) => total + file.size, 0);
}
