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

/** What upgrade.sh needs of an old system, and what the fingerprint is made with. */
const programs = [
  ..."dash uname stat df awk head tail cut cat cp rm mkdir chmod mktemp sha256sum b2sum cpio gzip".split(" "),
  ..."find xargs sort grep sed tee getfattr".split(" "),
];

/** SHA-512 crypt of `operator-Passw0rd`. */
const operatorHash =
  "$6$tinysalt$ifRy0P.Lz2esJNnVKYRkeXNoUmamkcfxHEGLcveUWVpOaJQsz8ipM2wlfJoxdKSSeLCn/RPmiWWHiyNCJHNKr1";

/** What the old root filesystem lies on. */
export type OldStack = "ext4" | "xfs-on-lvm";

export const oldRootDevice: Record<OldStack, string> = {
  ext4: "/dev/vda1",
  "xfs-on-lvm": "/dev/mapper/old-root",
};

const files: Record<string, string> = {
  "etc/os-release": 'NAME="Tiny"\nVERSION="1"\nID=tiny\nPRETTY_NAME="Tiny Gateway 1"\n',
  "etc/hostname": "tiny-gateway\n",
  "etc/hosts": "127.0.0.1\tlocalhost\n127.0.1.1\ttiny-gateway\n10.0.2.91\tmeter\n",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\noperator:x:1000:1000:Hall operator:/home/operator:/bin/sh\n",
  "etc/group": "root:x:0:\noperator:x:1000:\n",
  "etc/shadow": `root:*:19000:0:99999:7:::\noperator:${operatorHash}:19000:0:99999:7:::\n`,
  "etc/network/interfaces":
    "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet static\n\taddress 10.0.2.78\n\tnetmask 255.255.255.0\n\tgateway 10.0.2.2\n",
  "etc/resolv.conf": "nameserver 10.0.2.3\n",
  "etc/dualroot/compatible": "tiny-gateway\n",
  "etc/site/key": "the site's own key\n",
  "home/operator/.ssh/authorized_keys":
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITinyTinyTinyTinyTinyTinyTinyTinyTinyTinyTi op\n",
};

/** Fills a folder with the tiny old gateway, to be packed: a few megabytes, with a real identity. */
export async function makeOldTree(tree: string, kernel: KernelFixture, stack: OldStack): Promise<void> {
  await layPrograms(tree, programs);
  const type = stack === "ext4" ? "ext4" : "xfs";
  await layModules(tree, kernel, [type]);
  for (const name of [
    "proc",
    "sys",
    "dev",
    "run",
    "tmp",
    "mnt",
    "root",
    "var/tmp",
    "var/lib",
    "boot/grub",
    "etc/ssh",
  ])
    await mkdir(join(tree, name), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const root = oldRootDevice[stack];
  await writeFile(join(tree, "etc/fstab"), `${root} / ${type} defaults 0 1\n`);
  await writeFile(join(tree, "boot/grub/grub.cfg"), menu(root));
  await copyFile(kernel.image, join(tree, "boot", `vmlinuz-${kernel.version}`));
  await makeInitramfs(join(tree, "boot", `initrd.img-${kernel.version}`), kernel, { filesystems: [type] });
  await cp(here("fingerprint.sh"), join(tree, "usr/lib/fingerprint"));
  await cp(here("old-init.sh"), join(tree, "usr/sbin/init"));
  // What only a careful hand keeps.
  const finish = `
    cd "$1"
    ln -sf dash usr/bin/sh
    for link in vmlinuz initrd.img; do ln -s "$link-$2" "boot/$link"; done
    chmod 755 usr/lib/fingerprint usr/sbin/init
    chmod 600 etc/shadow etc/site/key
    chmod 1777 var/tmp
    for type in rsa ecdsa ed25519; do ssh-keygen -q -t $type -N '' -C root@tiny-gateway -f etc/ssh/ssh_host_\${type}_key; done
    chown -R 1000:1000 home/operator
    chmod 700 home/operator/.ssh
    chmod 600 home/operator/.ssh/authorized_keys
    setfattr -n user.bytes -v 0sAP8B etc/site/key
    ln etc/site/key etc/site/hard-link`;
  await run("sh", ["-euc", finish, "finish", tree, kernel.version]);
}

function menu(root: string): string {
  return [
    "serial --unit=0 --speed=115200",
    "terminal_output serial",
    `linux /boot/vmlinuz root=${root} console=ttyS0,115200 quiet panic=30`,
    "initrd /boot/initrd.img",
    "boot",
    "",
  ].join("\n");
}
