import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readPackage } from "../../agent/package/read-package.ts";
import { packageFiles, type Manifest, type PackageFile } from "../../format/manifest.ts";
import type { Signature } from "../../format/signature.ts";
import { xzBlocks } from "./xz-blocks.ts";

/** What a package says and has; nothing is verified. */
export interface PackageFacts {
  manifest: Manifest;
  manifestSha256: string;
  files: (PackageFile & { presentBytes: number | undefined })[];
  signature: Signature | undefined;
  xz: { blocks: number; uncompressedBytes: number } | undefined;
}

export async function readPackageFacts(folder: string): Promise<PackageFacts> {
  const { manifest, manifestSha256, signature } = await readPackage(folder);
  const files = await Promise.all(
    manifest.files.map(async (file) => ({
      ...file,
      presentBytes: (await stat(join(folder, file.name)).catch(() => undefined))?.size,
    })),
  );
  const rootfs = files.find((file) => file.name === packageFiles.rootfs);
  return {
    manifest,
    manifestSha256,
    files,
    signature,
    xz: rootfs?.presentBytes === undefined ? undefined : await xzBlocks(join(folder, rootfs.name)),
  };
}
