import { exitCodes } from "../../format/errors.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";

/** Says where the reader is and what can be done, then leaves the consoles to /init's shells. Touches no disk. */
export async function rescue({ tell, run }: Session): Promise<number> {
  await loadFilesystems(run, ["ext4", "xfs"]); // whoever reads this will want to mount something
  const { stdout } = await run("blkid", [], { acceptExitCodes: [2] });
  tell(
    "",
    "dualroot: rescue system. GRUB came here because no slot could be booted any more, or because it was chosen in the menu.",
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
