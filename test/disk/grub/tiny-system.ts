import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";

const run = createRun(silent);

/** Says on the console what it was booted with, then restarts the machine; as rescue system it waits instead. */
export const tellAndRestart = `#!/bin/sh
mount -t proc proc /proc
echo "BOOTED $(cat /proc/cmdline)" >/dev/console
case $(cat /proc/cmdline) in *dualroot.mode=rescue*) exec sleep 1000 ;; esac
echo b >/proc/sysrq-trigger
exec sleep 1000
`;

/** The smallest initramfs that does something, gzip-compressed: busybox, `init`, and files of this host by their path inside. */
export async function tinyInitramfs(init: string, files: Record<string, string> = {}): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-tiny-"));
  const tree = join(folder, "tree");
  const lay = async (inside: string, source: string): Promise<void> => {
    await mkdir(dirname(join(tree, inside)), { recursive: true });
    await copyFile(source, join(tree, inside));
  };
  try {
    for (const name of ["proc", "dev", "boot", "etc"]) await mkdir(join(tree, name), { recursive: true });
    await lay("bin/busybox", "/bin/busybox");
    // Debian has busybox with and without shared libraries; ldd fails on the latter.
    const { stdout: libraries } = await run("ldd", ["/bin/busybox"], { acceptExitCodes: [1] });
    for (const [library] of libraries.matchAll(/\/\S+/g)) await lay(library, library);
    const { stdout: applets } = await run("/bin/busybox", ["--list"]);
    for (const name of applets
      .trim()
      .split("\n")
      .filter((name) => name !== "busybox")) {
      await symlink("busybox", join(tree, "bin", name));
    }
    await run("mknod", [join(tree, "dev/console"), "c", "5", "1"]);
    for (const [inside, source] of Object.entries(files)) await lay(inside, source);
    await writeFile(join(tree, "init"), init);
    await chmod(join(tree, "init"), 0o755);
    const image = join(folder, "initramfs");
    await run("sh", ["-c", 'cd "$1" && find . | cpio --quiet -o -H newc | gzip -1 >"$2"', "sh", tree, image]);
    return await readFile(image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
