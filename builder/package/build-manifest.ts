import { idleBytes, workingBytes } from "../../agent/checks/ramdisk-memory.ts";
import type { RamdiskFacts } from "../ramdisk/build-ramdisk.ts";
import { manifestSchema, type Manifest, type PackageFile } from "../../format/manifest.ts";
import type { BuildPlan } from "../plan/build-plan.ts";

export interface ManifestInputs {
  plan: BuildPlan;
  ramdisk: RamdiskFacts & { runtimeCompression: "gzip" | "xz" };
  rootfs: { indexSha256: string; entries: number };
  files: readonly PackageFile[];
}

export function buildManifest({ plan, ramdisk, rootfs, files }: ManifestInputs): Manifest {
  const packageBytes = files.reduce((sum, file) => sum + file.size, 0);
  const manifest: Manifest = {
    format: 1,
    ...plan.release,
    sourceDateEpoch: plan.sourceDateEpoch,
    layout: plan.layout,
    requirements: {
      architecture: "x86_64",
      firmware: "bios",
      // What the release asks for is memory in all; the gateway's check adds the package again.
      ramdiskBytes: Math.max(
        ramdisk.unpackedBytes + idleBytes + workingBytes,
        plan.memoryBytes - packageBytes,
      ),
      diskBytes: plan.diskBytes,
    },
    preserve: { paths: plan.preserve },
    keepOldSystem: plan.keepOldSystem,
    target: {
      ...plan.target,
      ...(plan.rauc ? { raucTrusts: plan.rauc.trusts } : {}),
      unpackedBytes: plan.rootfs.unpackedBytes,
      entries: rootfs.entries,
      indexSha256: rootfs.indexSha256,
    },
    ramdisk: {
      kernelVersion: ramdisk.kernelVersion,
      drivers: ramdisk.drivers,
      runtimeSegments: ramdisk.runtimeSegments,
      runtimeCompression: ramdisk.runtimeCompression,
    },
    files: [...files],
  };
  return manifestSchema.parse(manifest);
}
