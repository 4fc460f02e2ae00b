import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { release } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { userError } from "../../format/errors.ts";
import { openReadAt } from "../ramdisk/read-at.ts";
import { compareVersions } from "../rootfs/compare-versions.ts";

export interface HelperKernel {
  /** vmlinuz (bzImage). */
  image: string;
  /** `…/lib/modules/VERSION`. */
  modulesFolder: string;
  version: string;
}

/**
 * The kernel the helper runs: the given one, or of the build host's the running, else the newest whose modules are there.
 * Modules are looked for beside a given kernel first, so that an unpacked kernel package is enough.
 */
export function findHelperKernel(given: { image?: string; modules?: string } = {}): HelperKernel {
  if (given.image !== undefined) return describeKernel(given.image, given.modules);
  const candidates = existsSync("/boot")
    ? readdirSync("/boot")
        .filter((name) => name.startsWith("vmlinuz-"))
        .sort((a, b) => preference(a) - preference(b) || compareVersions(b, a))
        .map((name) => join("/boot", name))
        .filter((path) => isReadable(path) && modulesOf(path, basename(path).slice("vmlinuz-".length)))
    : [];
  if (candidates[0] !== undefined) return describeKernel(candidates[0], given.modules);
  throw userError({
    code: "helper-kernel-missing",
    message: "There is no kernel in /boot that this user may read and whose modules are in /lib/modules.",
    hint: "Name one with --kernel: a vmlinuz with lib/modules/VERSION beside it, such as an unpacked package linux-image-amd64 (apt-get download, dpkg-deb -x). DUALROOT_HELPER_KERNEL does the same.",
    where: "/boot",
  });
}

function preference(name: string): number {
  return name === `vmlinuz-${release()}` ? 0 : 1;
}

function describeKernel(path: string, modules: string | undefined): HelperKernel {
  const image = resolve(path);
  const version = existsSync(image) ? kernelVersion(image) : undefined;
  if (version === undefined) {
    throw userError({
      code: "helper-kernel-unfit",
      message: `${path} is not a Linux kernel (bzImage) that this user may read.`,
      hint: "Give a vmlinuz of an x86-64 distribution; some distributions let only root read theirs.",
    });
  }
  const modulesFolder = modules === undefined ? modulesOf(image, version) : resolve(modules);
  if (modulesFolder === undefined || !existsSync(modulesFolder)) {
    throw userError({
      code: "helper-kernel-unfit",
      message: `The modules of kernel ${version} are neither beside ${path} nor in /lib/modules.`,
      hint: "Name their folder lib/modules/VERSION with --modules.",
    });
  }
  return { image, modulesFolder, version };
}

/** `ROOT/boot/vmlinuz` has its modules in `ROOT/lib/modules`. */
function modulesOf(image: string, version: string): string | undefined {
  return [join(dirname(image), "../lib/modules"), join(dirname(image), "lib/modules"), "/lib/modules"]
    .map((folder) => join(folder, version))
    .find((folder) => existsSync(folder));
}

/** Setup header of Linux' x86 boot protocol: "HdrS" at 0x202, at 0x20e where the version text lies, minus 0x200. */
function kernelVersion(image: string): string | undefined {
  if (!isReadable(image)) return undefined;
  const { readAt, close } = openReadAt(image);
  try {
    const header = readAt(0, 0x260);
    if (header.length < 0x260 || header.toString("latin1", 0x202, 0x206) !== "HdrS") return undefined;
    const text = readAt(header.readUInt16LE(0x20e) + 0x200, 256).toString("latin1");
    return /^[\w.+~-]+/.exec(text)?.[0];
  } finally {
    close();
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
