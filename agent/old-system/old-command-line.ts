/** Words that say where the old root was, or that are ours now (grub/grub.cfg.template). */
const placeOfRoot =
  /^(BOOT_IMAGE|initrd|root|rootflags|rootfstype|ro|rw|resume|resume_offset|noresume|panic|rauc\.slot|rd\.(lvm|md|luks|dm)(\..*)?|rd_(LVM|MD|LUKS|DM|NO)[A-Z_]*|dualroot\..*)(=|$)/;
/** What GRUB's script can carry inside single quotes and split at spaces. */
const plain = /^[A-Za-z0-9_.,:;=/@%+~^*?!#&()[\]{}<>|-]+$/;

/** The old system's own kernel arguments for slot B, consoles among them; what named its old root is left out. */
export function oldArguments(commandLine: string): { words: string[]; dropped: string[] } {
  const all = commandLine
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "" && !placeOfRoot.test(word));
  return {
    words: all.filter((word) => plain.test(word)),
    dropped: all.filter((word) => !plain.test(word)),
  };
}
