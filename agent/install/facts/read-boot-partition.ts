import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { decodeGrubenv } from "../../../format/grubenv.ts";
import { packageFiles } from "../../../format/manifest.ts";
import { kernelNameOf } from "../../facts/device-stack.ts";
import type { Facts } from "../../facts/facts.ts";
import { probeSignatures } from "../../facts/probe-signatures.ts";
import type { Tree } from "../../facts/tree.ts";
import { bootMountPoint } from "../../plan/check-layout.ts";
import { readBounded } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";
import type { BootPartitionFacts, InstallFacts } from "./install-facts.ts";

export async function readBootPartition(options: {
  tree: Tree;
  facts: Facts;
  run: Run;
  root: string;
}): Promise<BootPartitionFacts> {
  const { tree, facts, run, root } = options;
  const mount = facts.mounts.findLast(({ target }) => target === bootMountPoint);
  if (!mount) return { isMounted: false, isReadOnly: false, freeBytes: 0, rescueBytes: {} };
  const words = [...mount.options.split(","), ...(mount.superOptions ?? "").split(",")];
  const name = await kernelNameOf(tree, mount.device);
  const uuid = name === undefined ? undefined : (await probeSignatures(run, `/dev/${name}`)).uuid;
  const folder = join(root, bootMountPoint);
  return {
    isMounted: true,
    isReadOnly: words.includes("ro"),
    freeBytes: await statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => 0,
    ),
    ...(uuid ? { filesystemUuid: uuid } : {}),
    rescueBytes: await readRescueBytes(folder),
  };
}

async function readRescueBytes(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const name of [packageFiles.kernel, packageFiles.ramdisk]) {
    const size = await stat(join(folder, name)).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
    if (size !== undefined) sizes[name] = size;
  }
  return sizes;
}

export async function readGrubenv(root: string): Promise<InstallFacts["grubenv"]> {
  const path = join(root, bootMountPoint, "grub/grubenv");
  const bytes = await readBounded(path, 64 * 1024).catch(() => Buffer.alloc(0));
  if (bytes === undefined) return { state: "missing", variables: {} };
  const variables = decodeGrubenv(bytes);
  return variables
    ? { state: "good", variables: Object.fromEntries(variables) }
    : { state: "damaged", variables: {} };
}
