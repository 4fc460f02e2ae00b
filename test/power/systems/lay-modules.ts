import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import type { KernelFixture } from "../../fixtures/kernels.ts";

const run = createRun(silent);

/** Disks, network, volumes, filesystems. crc32c is asked for by name from the filesystems, not by dependency. */
const tinyModules = [
  ..."virtio_pci virtio_blk virtio_net virtio_rng".split(" "),
  ..."crc32c_generic crc32c_intel dm_mod".split(" "),
];

/** Copies these, the filesystems' modules and all they depend on to `TREE/lib/modules/VERSION`, with the indexes of depmod. */
export async function layModules(
  tree: string,
  kernel: KernelFixture,
  filesystems: readonly string[],
): Promise<void> {
  const target = join(tree, "usr/lib/modules", kernel.version);
  await mkdir(target, { recursive: true });
  for (const name of [...tinyModules, ...filesystems]) {
    const show = ["--show-depends", "-d", kernel.root, "-S", kernel.version, name];
    const { stdout } = await run("/sbin/modprobe", show);
    for (const [, path] of stdout.matchAll(/^insmod (\S+)/gm)) {
      const copy = join(target, relative(kernel.modulesFolder, path!));
      await mkdir(dirname(copy), { recursive: true });
      await copyFile(path!, copy);
    }
  }
  for (const index of ["modules.builtin", "modules.builtin.modinfo", "modules.order"])
    await copyFile(join(kernel.modulesFolder, index), join(target, index));
  await run("/sbin/depmod", ["-b", join(tree, "usr"), kernel.version]);
}
