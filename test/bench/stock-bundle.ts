import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "../../agent/system/run.ts";
import { packageFiles } from "../../format/manifest.ts";
import type { RaucSignerFiles } from "../fixtures/rauc-signer.ts";

/** The same archive as RAUC's users bundle it: RAUC makes the filesystem and unpacks by itself, no hook, no identity, nothing read back. */
export async function stockBundle(
  packageFolder: string,
  { certificate, key }: RaucSignerFiles,
  folder: string,
  run: Run,
): Promise<string> {
  const content = join(folder, "stock");
  const bundle = join(folder, "stock.raucb");
  await mkdir(content);
  await copyFile(join(packageFolder, packageFiles.rootfs), join(content, packageFiles.rootfs));
  await writeFile(
    join(content, "manifest.raucm"),
    `[update]\ncompatible=dualroot-fixture\nversion=stock\n\n[bundle]\nformat=verity\n\n[image.rootfs]\nfilename=${packageFiles.rootfs}\n`,
  );
  const squashfs = "--mksquashfs-args=-noD -noF";
  await run("rauc", ["bundle", `--cert=${certificate}`, `--key=${key}`, squashfs, content, bundle]);
  return bundle;
}
