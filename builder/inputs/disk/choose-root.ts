import { parseFstab, type FstabLine } from "../../../agent/old-system/parse-fstab.ts";
import { UserError, type Problem } from "../../../format/errors.ts";
import { osNameOf } from "../../rootfs/rootfs-facts.ts";
import { findFstabSource } from "./find-fstab-source.ts";
import { describe, hiddenSystem, isRaid, isUnknown, problemWith } from "./filesystem-problems.ts";
import type { FoundFilesystem } from "./found-filesystem.ts";

export interface RootMount {
  device: string;
  type: string;
  /** Absolute; `/` first, then by depth, so that they can be mounted in this order. */
  target: string;
  /** Of btrfs, as fstab has it: `subvol=@home`. */
  subvolume?: string;
}

export interface RootChoice {
  osName: string;
  mounts: RootMount[];
  /** What is not taken, and why, for people. */
  ignored: { device: string; why: string }[];
}

const pseudo =
  /^(?:proc|sysfs|tmpfs|devtmpfs|devpts|ramfs|cgroup2?|debugfs|securityfs|configfs|fusectl|mqueue|hugetlbfs|efivarfs|none|ignore|autofs)$/;
const network = /^(?:nfs4?|cifs|smb3?fs?|sshfs|fuse\.sshfs|glusterfs|ceph|9p|afs)$/;
const removable = /^\/(?:media|mnt|cdrom|floppy)(?:\/|$)/;
/** Firmware of another kind of machine: gateways boot by BIOS. */
const efi = /^\/(?:boot\/efi|efi|boot\/EFI)$/;

/**
 * Finds the root filesystem in a disk image as a person would: the one whose fstab calls itself the root, with all that it
 * mounts. Pure. Refuses, with what was found, rather than guess.
 */
export function chooseRoot(found: readonly FoundFilesystem[]): RootChoice {
  const root = theRoot(found);
  const problems: Problem[] = [];
  const ignored: RootChoice["ignored"] = [];
  const mounts = new Map<string, RootMount>([["/", mountOf(root, "/", rootLine(root))]]);
  const fstab = parseFstab(root.content?.fstab ?? "");
  for (const line of fstab.filter(({ mountPoint }) => mountPoint !== "/")) {
    const target = line.mountPoint.length > 1 ? line.mountPoint.replace(/\/+$/, "") : line.mountPoint;
    const why = notTaken(line, target);
    if (why === "never") continue;
    const matches = findFstabSource(line.source, found);
    if (why !== undefined) {
      for (const { device } of matches) ignored.push({ device, why: `${target}: ${why}` });
      continue;
    }
    const problem = problemWith(line, target, matches, mounts.has(target));
    if (problem) problems.push(problem);
    else if (matches[0]) mounts.set(target, mountOf(matches[0], target, line));
    else ignored.push({ device: line.source, why: `${target}: not in the image, and marked nofail` });
  }
  const meant = new Set(fstab.flatMap(({ source }) => findFstabSource(source, found)));
  for (const one of found) if (one !== root && !meant.has(one)) problems.push(...hiddenSystem(one));
  if (problems.length > 0) throw new UserError(problems);
  const used = new Set([...mounts.values()].map(({ device }) => device));
  const named = new Set(ignored.map(({ device }) => device));
  for (const one of found)
    if (!used.has(one.device) && !named.has(one.device))
      ignored.push({ device: one.device, why: one.type === "swap" ? "swap" : "not in the root's fstab" });
  return {
    osName: osNameOf(root.content?.osRelease ?? ""),
    mounts: [...mounts.values()].sort(
      (a, b) => depth(a.target) - depth(b.target) || (a.target < b.target ? -1 : 1),
    ),
    ignored,
  };
}

function theRoot(found: readonly FoundFilesystem[]): FoundFilesystem {
  const candidates = found.filter(
    ({ content }) =>
      content &&
      (rootLineOf(content.fstab) !== undefined || (content.hasInit && content.osRelease !== undefined)),
  );
  // A copy of a root says of itself that the original is the root.
  const claimants = candidates.filter((one) => {
    const line = rootLineOf(one.content?.fstab);
    return line !== undefined && findFstabSource(line.source, found).includes(one);
  });
  const [root, other] = claimants.length > 0 ? claimants : candidates;
  const list = found.map(describe).join("; ") || "nothing";
  if (root && other)
    throw refusal({
      code: "disk-with-several-roots",
      message: `the image has several root filesystems: ${(claimants.length > 0 ? claimants : candidates).map(describe).join("; ")}`,
      hint: "Take away what is not wanted, or give the root filesystem as a tar.",
    });
  if (root) return root;
  if (found.some(({ type }) => type === "crypto_LUKS"))
    throw refusal({
      code: "disk-encrypted",
      message: `no root filesystem can be read, and a part of the image is encrypted; found: ${list}`,
      hint: "Export the machine without encryption, or give the root filesystem as a tar.",
    });
  if (found.some(isRaid))
    throw refusal({
      code: "disk-raid",
      message: `no root filesystem can be read, and a part of the image belongs to a RAID array; found: ${list}`,
      hint: "Give the root filesystem as a tar; a gateway's own disk is no RAID array.",
    });
  const lacking = found.find(({ type, error }) => type === "LVM2_member" && error !== undefined);
  if (lacking)
    throw refusal({
      code: "disk-volumes-incomplete",
      message: `no root filesystem can be read, and the volumes on ${describe(lacking)} cannot be activated: ${lacking.error}`,
      hint: "Give all disks of the machine, each once; an OVA has them all.",
    });
  const damaged = found.filter(({ error }) => error !== undefined);
  if (damaged.length > 0)
    throw refusal({
      code: "disk-filesystem-damaged",
      message: `no root filesystem can be read: ${damaged.map((one) => `${describe(one)}: ${one.error}`).join("; ")}`,
      hint: "Shut the machine down cleanly, check the filesystem (fsck, xfs_repair), and export it again.",
    });
  if (found.some(isUnknown))
    throw refusal({
      code: "disk-filesystem-unknown",
      message: `no root filesystem can be read; found: ${list}`,
      hint: "Filesystems that can be read are ext2 to ext4, XFS, btrfs and vfat. Give the root filesystem as a tar.",
    });
  throw refusal({
    code: "disk-without-root",
    message: `there is no root filesystem in the image: none has /etc/fstab with a root, or an init and /etc/os-release; found: ${list}`,
    hint: "Give all disks of the machine; an OVA has them all.",
  });
}

/** Why a line of fstab brings nothing into the tree; `never`: it is not worth a word. */
function notTaken(line: FstabLine, target: string): string | undefined {
  if (line.type === "swap" || pseudo.test(line.type) || !target.startsWith("/")) return "never";
  if (network.test(line.type) || /^[^/]+:|^\/\//.test(line.source)) return "never";
  if (line.options.some((option) => option === "bind" || option === "rbind")) return "never";
  if (/^(?:iso9660|udf)/.test(line.type) || /^\/dev\/(?:sr|cdrom|fd)\d*/.test(line.source)) return "never";
  if (line.options.includes("noauto")) return "noauto";
  if (removable.test(target)) return "a place for removable media";
  if (efi.test(target)) return "UEFI firmware's, and gateways boot by BIOS";
  return undefined;
}

function rootLineOf(fstab: string | undefined): FstabLine | undefined {
  return fstab === undefined ? undefined : parseFstab(fstab).find(({ mountPoint }) => mountPoint === "/");
}

function rootLine(root: FoundFilesystem): FstabLine | undefined {
  return rootLineOf(root.content?.fstab);
}

function mountOf(one: FoundFilesystem, target: string, line: FstabLine | undefined): RootMount {
  const subvolume = line?.options.find((option) => /^subvol(?:id)?=/.test(option));
  return {
    device: one.device,
    type: one.type,
    target,
    ...(subvolume !== undefined && one.type === "btrfs" ? { subvolume } : {}),
  };
}

function depth(target: string): number {
  return target === "/" ? 0 : target.split("/").length;
}

function refusal(problem: Problem): UserError {
  return new UserError([problem]);
}
