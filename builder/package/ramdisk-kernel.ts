import { access } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { userError } from "../../format/errors.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import { rootedPath } from "../rootfs/rooted-path.ts";

export interface RamdiskKernel {
  image: string;
  modulesFolder: string;
  version: string;
  /** The root filesystem they are in; absent: this host's. */
  root?: string;
}

/** The kernel that the release gives for the ramdisk, or the target's own, as paths on this host. */
export async function ramdiskKernel(plan: BuildPlan, root: string): Promise<RamdiskKernel> {
  const { ramdiskKernel: given, target } = plan;
  if (given === "target") {
    return {
      image: await rootedPath(root, target.kernel),
      modulesFolder: await rootedPath(root, `/lib/modules/${target.kernelVersion}`),
      version: target.kernelVersion,
      root,
    };
  }
  for (const [key, path] of [
    ["kernel.image", given.image],
    ["kernel.modules", join(given.modules, "kernel")],
  ] as const) {
    await access(path).catch((cause: unknown) => {
      throw userError(
        {
          code: "kernel-missing",
          message: `${key}: there is no ${path}`,
          hint: "kernel.image is a vmlinuz, kernel.modules the folder lib/modules/VERSION that belongs to it.",
        },
        "badInput",
        { cause },
      );
    });
  }
  const modulesFolder = resolve(given.modules);
  return { image: given.image, modulesFolder, version: basename(modulesFolder) };
}
