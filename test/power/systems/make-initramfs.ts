import { copyFile, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import type { KernelFixture } from "../../fixtures/kernels.ts";
import { layModules } from "./lay-modules.ts";
import { layPrograms } from "./lay-programs.ts";

const run = createRun(silent);

/** Writes an initramfs of busybox, LVM, `programs`, the kernel's modules and `init`; compressed, as it is read and written many times. */
export async function makeInitramfs(
  output: string,
  kernel: KernelFixture,
  {
    filesystems,
    init = "initramfs.sh",
    programs = [],
  }: { filesystems: readonly string[]; init?: string; programs?: readonly string[] },
): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), "dualroot-tiny-"));
  try {
    await layPrograms(tree, ["lvm", "mount", ...programs]);
    await mkdir(join(tree, "usr/sbin"), { recursive: true });
    await cp(join(tree, "usr/bin/lvm"), join(tree, "usr/sbin/lvm"));
    await rm(join(tree, "usr/bin/lvm"));
    await layModules(tree, kernel, filesystems);
    for (const name of ["proc", "sys", "dev", "run", "tmp", "etc/lvm"])
      await mkdir(join(tree, name), { recursive: true });
    const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    await copyFile(here("lvmlocal.conf"), join(tree, "etc/lvm/lvmlocal.conf"));
    await copyFile(here(init), join(tree, "init"));
    const pack = `chmod 755 "$1/init"; mknod "$1/dev/console" c 5 1; cd "$1"; find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc | gzip -n -6 >"$2"`;
    await run("sh", ["-euc", pack, "pack", tree, output]);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
