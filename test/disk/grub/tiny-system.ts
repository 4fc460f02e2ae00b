import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";

/** Says on the console what it was booted with, then restarts the machine; as rescue system it waits instead. */
const init = `#!/bin/sh
mount -t proc proc /proc
echo "BOOTED $(cat /proc/cmdline)" >/dev/console
case $(cat /proc/cmdline) in *dualroot.mode=rescue*) exec sleep 1000 ;; esac
echo b >/proc/sysrq-trigger
exec sleep 1000
`;

/** The smallest initramfs that can tell which entry GRUB booted, gzip-compressed. */
export async function tinyInitramfs(): Promise<Buffer> {
  const run = createRun(silent);
  const folder = await mkdtemp(join(tmpdir(), "dualroot-tiny-"));
  try {
    const tree = join(folder, "tree");
    await mkdir(join(tree, "bin"), { recursive: true });
    await mkdir(join(tree, "proc"));
    await mkdir(join(tree, "dev"));
    await copyFile("/bin/busybox", join(tree, "bin/busybox"));
    // Debian has busybox with and without shared libraries; ldd fails on the latter.
    const { stdout: libraries } = await run("ldd", ["/bin/busybox"], { acceptExitCodes: [1] });
    for (const [library] of libraries.matchAll(/\/\S+/g)) {
      await mkdir(dirname(join(tree, library)), { recursive: true });
      await copyFile(library, join(tree, library));
    }
    for (const name of ["sh", "mount", "cat", "echo", "sleep"])
      await symlink("busybox", join(tree, "bin", name));
    await run("mknod", [join(tree, "dev/console"), "c", "5", "1"]);
    await writeFile(join(tree, "init"), init);
    await chmod(join(tree, "init"), 0o755);
    const image = join(folder, "initramfs");
    await run("sh", ["-c", 'cd "$1" && find . | cpio --quiet -o -H newc | gzip -1 >"$2"', "sh", tree, image]);
    return await readFile(image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
