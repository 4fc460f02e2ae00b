import { createCipheriv, createHash } from "node:crypto";
import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";
import type { KernelFixture } from "../../fixtures/kernels.ts";
import { layModules } from "./lay-modules.ts";
import { layPrograms } from "./lay-programs.ts";
import { makeInitramfs } from "./make-initramfs.ts";

const run = createRun(silent);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What upgrade.sh, the health gate and the report need. */
const programs = [
  ..."dash mount uname stat df awk head tail cut cat cp rm mkdir chmod mktemp sha256sum b2sum cpio gzip".split(
    " ",
  ),
  ..."find xargs sort tee getfattr flock lvm resize2fs e2fsck".split(" "),
];

/** One release of the tiny system. */
export interface TinyRelease {
  version: string;
  counter: number;
}

const files: Record<string, string> = {
  "etc/hostname": "factory\n",
  "etc/hosts": "127.0.0.1\tlocalhost\n",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\n",
  "etc/shadow": "root:*:19000:0:99999:7:::\n",
  "etc/dualroot/health.conf": "DUALROOT_HEALTH_SECONDS=60\n",
};

/** Fills a folder with the root filesystem of the tiny new system; the builder makes a package of it. */
export async function makeTargetTree(
  tree: string,
  kernel: KernelFixture,
  { version }: TinyRelease,
): Promise<void> {
  await layPrograms(tree, programs);
  await layModules(tree, kernel, ["ext4"]);
  const folders =
    "proc sys dev run tmp root data opt boot/dualroot var/lib var/tmp etc/lvm etc/ssh etc/systemd/network usr/lib/systemd/system usr/lib/tiny";
  for (const name of folders.split(" ")) await mkdir(join(tree, name), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const release = `NAME="Tiny New"\nVERSION="${version}"\nID=tiny\nPRETTY_NAME="Tiny New ${version}"\n`;
  await writeFile(join(tree, "etc/os-release"), release);
  // So that releases differ in more than a line.
  await writeFile(join(tree, "usr/lib/tiny/content"), differentBytes(version));
  await copyFile(kernel.image, join(tree, "boot", `vmlinuz-${kernel.version}`));
  await makeInitramfs(join(tree, "boot", `initrd.img-${kernel.version}`), kernel, { filesystems: ["ext4"] });
  await cp(here("fingerprint.sh"), join(tree, "usr/lib/fingerprint"));
  await cp(here("target-init.sh"), join(tree, "usr/lib/systemd/systemd"));
  await cp(here("target-networkd.sh"), join(tree, "usr/lib/systemd/systemd-networkd"));
  await cp(here("target-report.sh"), join(tree, "usr/lib/tiny/report"));
  await cp(here("target-systemctl.sh"), join(tree, "usr/sbin/systemctl"));
  await cp(here("lvmlocal.conf"), join(tree, "etc/lvm/lvmlocal.conf"));
  const finish = `
    cd "$1"
    ln -sf dash usr/bin/sh
    ln -sf ../lib/systemd/systemd usr/sbin/init
    for name in reboot shutdown poweroff; do ln -sf systemctl "usr/sbin/$name"; done
    for name in lvs vgs pvs lvremove lvextend lvchange; do ln -s ../bin/lvm "usr/sbin/$name"; done
    chmod 755 usr/lib/fingerprint usr/lib/tiny/report usr/sbin/systemctl
    chmod 755 usr/lib/systemd/systemd usr/lib/systemd/systemd-networkd
    chmod 600 etc/shadow
    find . -newermt 2023-11-14 ! -type l -exec touch -d @1700000000 {} +`;
  await run("sh", ["-euc", finish, "finish", tree]);
}

/** A megabyte that does not compress, the same for the same word. */
export function differentBytes(word: string): Buffer {
  const key = createHash("sha256").update(word).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(MiB));
}
