import type { Manifest } from "../../format/manifest.ts";

/** The exact bytes that are signed. */
export function buildManifestBytes(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, "utf8");
}
