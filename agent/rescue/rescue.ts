import type { Identity } from "../../format/identity.ts";
import { exitCodes } from "../../format/errors.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";

/** What the caller knows already; what is missing is looked for on the disks. */
export interface RescueKnowledge {
  /** Why the machine is here, a sentence each. */
  reason: readonly string[];
  identity?: Identity;
  /** The stash's preserved.tar, a file in memory: host keys and authorized keys. */
  preservedTar?: string;
}

/** Mode `rescue`: chosen in GRUB's menu, or no slot was left. */
export async function rescue(session: Session): Promise<number> {
  return rescueWith(session, {
    reason: [
      "GRUB came here because no slot could be booted any more, or because it was chosen in the menu.",
    ],
  });
}

/** Says where the reader is and what can be done, then leaves the consoles to /init's shells. Changes no disk. */
export async function rescueWith({ tell, run }: Session, { reason }: RescueKnowledge): Promise<number> {
  await loadFilesystems(run, ["ext4", "xfs"]); // whoever reads this will want to mount something
  const { stdout } = await run("blkid", [], { acceptExitCodes: [2] });
  tell(
    "",
    "dualroot: rescue system.",
    ...reason,
    "Nothing was changed. What the disks hold:",
    ...stdout
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    "",
    "To look at slot A:       lvm vgchange -ay; mkdir -p /mnt; mount -o ro /dev/mapper/VA-root_a /mnt",
    "To try slot A again:     mkdir -p /boot; mount LABEL=dualroot-boot /boot; then, in the mounted slot,",
    "                         chroot /mnt /usr/lib/dualroot/grub-editenv BOOT/grub/grubenv set A_OK=1 A_TRY=0",
    "To restart:              reboot -f",
    "",
  );
  return exitCodes.refused;
}
