import type { FilesystemType } from "../../format/layout.ts";
import type { RootfsFacts } from "../rootfs/rootfs-facts.ts";
import { moduleName } from "./module-name.ts";

export interface InitramfsVerdict {
  rebuild: "none" | "dracut" | "initramfs-tools";
  /** Why it has to be rebuilt; empty when it is fine as it is. */
  missing: string[];
  /** Missing, and nothing in the root filesystem can rebuild it: the package could not boot. */
  hopeless: boolean;
}

/** Can the target's initramfs find its root on a logical volume? `diskModules`: of the platforms' disks, as judgePlatforms says. */
export function judgeInitramfs(
  facts: RootfsFacts,
  rootFilesystem: FilesystemType,
  diskModules: readonly string[],
): InitramfsVerdict {
  const { boot } = facts;
  if (!boot) return { rebuild: "none", missing: ["the initramfs itself"], hopeless: true };
  const available = new Set([...boot.initramfs.flatMap(moduleName), ...boot.drivers.builtIn]);
  const missing: string[] = [];
  if (!boot.initramfs.some((name) => /(?:^|\/)s?bin\/lvm$/.test(name))) missing.push("the lvm program");
  for (const module of ["dm_mod", rootFilesystem])
    if (!available.has(module)) missing.push(`the ${module} module`);
  const disks = diskModules.filter((driver) => !available.has(driver));
  if (disks.length > 0) missing.push(`disk drivers that its kernel has: ${disks.join(", ")}`);
  if (missing.length === 0) return { rebuild: "none", missing, hopeless: false };
  if (facts.initramfsTools && facts.lvm) return { rebuild: "initramfs-tools", missing, hopeless: false };
  if (facts.dracut && facts.lvm) return { rebuild: "dracut", missing, hopeless: false };
  return { rebuild: "none", missing, hopeless: true };
}
