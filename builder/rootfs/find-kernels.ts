import { readdir } from "node:fs/promises";
import { hasErrorCode } from "../../format/errors.ts";
import { exists } from "../../agent/system/files.ts";
import { compareVersions } from "./compare-versions.ts";
import { rootedPath } from "./rooted-path.ts";

/** A kernel found in the root filesystem's /boot or lib/modules. Paths are inside it. */
export interface KernelFacts {
  version: string;
  image?: string;
  initramfs?: string;
  modules?: string;
}

const imageName = /^vmlinuz-(\d.*)$/;

/** Newest first. Rescue images are not candidates: their names carry a machine-id, not a version. */
export async function findKernels(root: string): Promise<KernelFacts[]> {
  const boot = await names(await rootedPath(root, "/boot"));
  const modules = await names(await rootedPath(root, "/lib/modules"));
  const versions = new Set([
    ...boot.flatMap((name) => imageName.exec(name)?.[1] ?? []),
    ...modules.filter((name) => /^\d/.test(name)),
  ]);
  const kernels = await Promise.all(
    [...versions].map(async (version) => {
      const initramfs = [`initrd.img-${version}`, `initramfs-${version}.img`, `initrd-${version}`].find(
        (name) => boot.includes(name),
      );
      const hasModules = await exists(await rootedPath(root, `/lib/modules/${version}/modules.dep`));
      return {
        version,
        ...(boot.includes(`vmlinuz-${version}`) ? { image: `/boot/vmlinuz-${version}` } : {}),
        ...(initramfs === undefined ? {} : { initramfs: `/boot/${initramfs}` }),
        ...(hasModules ? { modules: `/lib/modules/${version}` } : {}),
      };
    }),
  );
  return kernels.sort((a, b) => compareVersions(b.version, a.version));
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}
