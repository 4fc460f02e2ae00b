import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import type { KernelFixture } from "../../fixtures/kernels.ts";
import { layModules } from "./lay-modules.ts";
import { layPrograms } from "./lay-programs.ts";
import { makeInitramfs } from "./make-initramfs.ts";

const run = createRun(silent);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const files: Record<string, string> = {
  "etc/os-release": 'NAME="Tiny New"\nVERSION="2"\nID=tiny\nPRETTY_NAME="Tiny New 2"\n',
  "etc/hostname": "factory\n",
  "etc/hosts": "127.0.0.1\tlocalhost\n",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\n",
  "etc/shadow": "root:*:19000:0:99999:7:::\n",
  "etc/dualroot/health.conf": "DUALROOT_HEALTH_SECONDS=60\n",
};

/** Fills a folder with the root filesystem of the tiny new system; the builder makes a package of it. */
export async function makeTargetTree(tree: string, kernel: KernelFixture): Promise<void> {
  await layPrograms(tree, ["dash", "mount", "find", "xargs", "sort", "sha256sum", "tee", "getfattr"]);
  await layModules(tree, kernel, ["ext4"]);
  const folders =
    "proc sys dev run tmp root data boot/dualroot var/lib etc/ssh etc/systemd/network usr/lib/systemd/system";
  for (const name of folders.split(" ")) await mkdir(join(tree, name), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  await copyFile(kernel.image, join(tree, "boot", `vmlinuz-${kernel.version}`));
  await makeInitramfs(join(tree, "boot", `initrd.img-${kernel.version}`), kernel, { filesystems: ["ext4"] });
  await cp(here("fingerprint.sh"), join(tree, "usr/lib/fingerprint"));
  await cp(here("target-init.sh"), join(tree, "usr/lib/systemd/systemd"));
  await cp(here("target-networkd.sh"), join(tree, "usr/lib/systemd/systemd-networkd"));
  const finish = `
    cd "$1"
    ln -sf dash usr/bin/sh
    ln -sf ../lib/systemd/systemd usr/sbin/init
    chmod 755 usr/lib/fingerprint usr/lib/systemd/systemd usr/lib/systemd/systemd-networkd
    chmod 600 etc/shadow
    find . -newermt 2023-11-14 ! -type l -exec touch -d @1700000000 {} +`;
  await run("sh", ["-euc", finish, "finish", tree]);
}
