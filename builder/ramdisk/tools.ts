import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError, type Problem } from "../../format/errors.ts";

/** Programs of one Debian package that go into the ramdisk as /usr/sbin/NAME. */
export interface ToolPackage {
  package: string;
  tools: string[];
  /** Other names of a program, as links: it looks at the name it was called by. */
  links?: Record<string, string>;
}

const lvmCommands = `
  pvs vgs lvs pvscan vgscan lvscan pvcreate vgcreate lvcreate pvremove vgremove lvremove vgchange lvchange pvchange vgextend
  lvextend vgreduce lvreduce lvresize pvresize pvmove vgrename lvrename vgimportclone vgcfgbackup vgcfgrestore pvdisplay
  vgdisplay lvdisplay vgck`
  .trim()
  .split(/\s+/);

export const lvmPackage: ToolPackage = {
  package: "lvm2",
  tools: ["lvm"],
  links: Object.fromEntries(lvmCommands.map((name) => [name, "lvm"])),
};

/** The one list of real tools; what is not here is busybox's. */
export const toolPackages: readonly ToolPackage[] = [
  lvmPackage,
  { package: "dmsetup", tools: ["dmsetup"] },
  { package: "gdisk", tools: ["sgdisk"] },
  { package: "fdisk", tools: ["sfdisk"] },
  {
    package: "util-linux",
    tools: [
      "blkid",
      "lsblk",
      "wipefs",
      "blockdev",
      "partx",
      "fsfreeze",
      "blkdiscard",
      "findmnt",
      "switch_root",
      "fallocate",
    ],
  },
  { package: "mount", tools: ["mount", "umount"] },
  {
    package: "e2fsprogs",
    tools: [
      "mke2fs",
      "e2fsck",
      "resize2fs",
      "tune2fs",
      "dumpe2fs",
      "debugfs",
      "filefrag",
      "chattr",
      "lsattr",
    ],
    links: { "mkfs.ext4": "mke2fs", "fsck.ext4": "e2fsck", e2label: "tune2fs" },
  },
  { package: "xfsprogs", tools: ["mkfs.xfs", "xfs_repair", "xfs_growfs", "xfs_db", "xfs_io"] },
  { package: "tar", tools: ["tar"] },
  { package: "xz-utils", tools: ["xz"], links: { unxz: "xz", xzcat: "xz" } },
  { package: "gzip", tools: ["gzip"] },
  { package: "zstd", tools: ["zstd"] },
  { package: "kexec-tools", tools: ["kexec"] },
  // Makes the resume loader, whose block lists are known on the gateway only.
  { package: "grub-common", tools: ["grub-mkimage"] },
  // The rescue system's ssh server: takes OpenSSH's host keys and the gateway's own passwords.
  { package: "dropbear-bin", tools: ["dropbear", "dropbearconvert", "dropbearkey"] },
  { package: "attr", tools: ["getfattr", "setfattr"] },
  { package: "acl", tools: ["getfacl", "setfacl"] },
];

/** `busybox` or `busybox-static`; goes to /usr/bin. */
const busyboxPackage: ToolPackage = { package: "busybox", tools: ["busybox"] };

export const hostFolders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Each tool's file on the build host. Refuses with every missing one at once. */
export function findTools(
  folders: readonly string[] = hostFolders,
  packages: readonly ToolPackage[] = toolPackages,
): {
  tools: { name: string; path: string }[];
  links: { name: string; target: string }[];
  busybox: string;
} {
  const problems: Problem[] = [];
  const find = (name: string, packageName: string): string => {
    const path = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (path === undefined) {
      problems.push({
        code: "tool-missing",
        message: `The ramdisk needs ${name}, which is not on this machine.`,
        hint: `apt-get install ${packageName}`,
      });
    }
    return path ?? "";
  };
  const tools = packages.flatMap((from) =>
    from.tools.map((name) => ({ name, path: find(name, from.package) })),
  );
  const busybox = find("busybox", busyboxPackage.package);
  if (problems.length > 0) throw new UserError(problems);
  const links = packages.flatMap((from) =>
    Object.entries(from.links ?? {}).map(([name, target]) => ({ name, target })),
  );
  return { tools, links, busybox };
}
