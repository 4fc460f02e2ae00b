import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import { silent, type Reporter } from "../../format/events.ts";
import { MiB } from "../../format/sizes.ts";
import { cacheFolder } from "../system/cache-folder.ts";
import { findHelperKernel } from "./helper-kernel.ts";
import { helperImage } from "./helper-image.ts";
import { diskDevice, helperMachine, maximumDisks } from "./helper-machine.ts";
import { Helper } from "./helper.ts";
import { stampOf } from "./input-stamps.ts";
import { inspectDisk, type HelperDisk } from "./inspect-disk.ts";
import { rememberedAccelerator } from "./remembered-accelerator.ts";
import { startHelper } from "./start-helper.ts";
import { uncompressedKernel } from "./uncompressed-kernel.ts";

export interface HelperOptions {
  disks: readonly HelperDisk[];
  /** A vmlinuz and its lib/modules/VERSION; without it, the build host's own, or what DUALROOT_HELPER_KERNEL names. */
  kernel?: { image: string; modules?: string };
  memoryBytes?: number;
  /** Names of programs of the build host that shall be there besides those of `contents.ts`. */
  tools?: readonly string[];
  /** Boots it, and keeps no state of it. */
  isCold?: boolean;
  report?: Reporter;
}

/** Enough for mkfs, fsck and tar on disks of some hundred GiB. */
export const defaultHelperMemory = 512 * MiB;

/**
 * A tiny virtual machine that has the disks and does with them what an unprivileged host cannot: partitions, volumes,
 * filesystems. Needs no root. Nothing of it is left when this process ends, however it ends.
 */
export async function openHelper(options: HelperOptions): Promise<Helper> {
  const begin = performance.now();
  const report = options.report ?? silent;
  const run = createRun(report);
  if (options.disks.length > maximumDisks) {
    throw userError({
      code: "helper-too-many-disks",
      message: `The helper has room for ${maximumDisks} disks, not for ${options.disks.length}.`,
      hint: "Give it fewer at a time.",
    });
  }
  const folder = join(cacheFolder(), "helper");
  const memoryBytes = options.memoryBytes ?? defaultHelperMemory;
  const kernel = findHelperKernel(options.kernel ?? kernelOfEnvironment());
  const [disks, image, program, accelerator] = await Promise.all([
    Promise.all(options.disks.map((disk) => inspectDisk(disk, run))),
    helperImage(kernel, options.tools ?? [], { run, cacheFolder: folder, report }),
    uncompressedKernel(kernel.image, folder, report),
    rememberedAccelerator(kernel.image, folder),
  ]);
  const machine = helperMachine({ kernel: program, ramdisk: image.file, memoryBytes, disks });
  const started = await startHelper({
    machine,
    kernelStamp: stampOf(kernel.image),
    ramdiskDigest: image.sha256,
    accelerator,
    cacheFolder: folder,
    isCold: options.isCold ?? false,
    report,
  });
  const facts = {
    devices: disks.map((_, index) => diskDevice(index)),
    start: started.start,
    startSeconds: (performance.now() - begin) / 1000,
    ramdiskBytes: image.sizeBytes,
    memoryBytes,
    kernelVersion: kernel.version,
    accelerator,
  };
  return new Helper(
    started,
    facts,
    disks.some((disk) => !disk.readOnly),
    report,
  );
}

function kernelOfEnvironment(): HelperOptions["kernel"] {
  const image = process.env["DUALROOT_HELPER_KERNEL"];
  return image === undefined || image === "" ? undefined : { image };
}
