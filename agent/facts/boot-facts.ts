import type { BootFacts, MountFacts } from "./facts.ts";
import { mountHolding } from "./parse-proc.ts";
import { kernelNameOf } from "./device-stack.ts";
import type { Tree } from "./tree.ts";

/** The SecureBoot variable of the global EFI namespace; 4 bytes of attributes, then 0 or 1. */
const secureBootVariable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

export async function readBootFacts(
  tree: Tree,
  mounts: readonly MountFacts[],
  freeBytes: (path: string) => Promise<number>,
): Promise<BootFacts> {
  const grub = await findGrub(tree);
  return {
    ...(grub ? { grubFolder: grub.folder } : {}),
    grubenvWritable: grub !== undefined && (await isPlainPartition(tree, mountHolding(mounts, grub.folder))),
    grubOneShot:
      grub !== undefined && /\bcustom\.cfg\b/.test(grub.config) && /\bnext_entry\b/.test(grub.config),
    kexecAllowed: await readKexecAllowed(tree),
    secureBoot: (await tree.bytes(secureBootVariable))?.[4] === 1,
    bootFreeBytes: await freeBytes(grub?.folder ?? "/boot"),
  };
}

async function findGrub(tree: Tree): Promise<{ folder: string; config: string } | undefined> {
  for (const folder of ["/boot/grub2", "/boot/grub"]) {
    const config = await tree.text(`${folder}/grub.cfg`);
    if (config !== undefined) return { folder, config };
  }
  return undefined;
}

/** GRUB's save_env writes to blocks it can address itself: ext and XFS straight on a partition, not LVM or RAID. */
async function isPlainPartition(tree: Tree, mount: MountFacts | undefined): Promise<boolean> {
  if (mount === undefined || !/^(ext[234]|xfs)$/.test(mount.type)) return false;
  const name = await kernelNameOf(tree, mount.device);
  return name !== undefined && (await tree.text(`/sys/class/block/${name}/partition`)) !== undefined;
}

async function readKexecAllowed(tree: Tree): Promise<boolean> {
  if ((await tree.text("/sys/kernel/kexec_loaded")) === undefined) return false;
  if ((await tree.text("/proc/sys/kernel/kexec_load_disabled")) === "1") return false;
  const lockdown = await tree.text("/sys/kernel/security/lockdown");
  return lockdown === undefined || lockdown.includes("[none]");
}
