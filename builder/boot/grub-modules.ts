/**
 * Built into core.img, so that booting a gateway needs no file but grub.cfg and grubenv. One line, one reason.
 * Names as in /usr/lib/grub/i386-pc.
 */
export const builtInModules = [
  // The disk: BIOS, both kinds of partition table, volumes.
  ..."biosdisk part_gpt part_msdos lvm".split(" "),
  // The filesystems of /boot and of the slots.
  ..."ext2 xfs".split(" "),
  // Menu and script language.
  ..."normal minicmd echo test true sleep reboot halt configfile regexp".split(" "),
  // State.
  ..."loadenv".split(" "),
  // Kernels, and what their checksummed or compressed files need.
  ..."linux linux16 boot gzio xzio lzopio".split(" "),
  // Finding things by hand on the GRUB prompt.
  ..."ls cat search search_fs_uuid search_fs_file search_label probe".split(" "),
  // Consoles.
  ..."terminal serial terminfo all_video gfxterm font".split(" "),
];

/** Not built in, but laid on /boot for a person at the GRUB prompt. */
const extraModules = [
  "help",
  "hexdump",
  "lsmmap",
  "date",
  "datetime",
  "keystatus",
  "cpuid",
  "chain",
  "memdisk",
  "tar",
  "videoinfo",
];

/** Every module that ends up on /boot: both lists with all they depend on, sorted. `moddep` is GRUB's moddep.lst. */
export function modulesOnBoot(moddep: string): string[] {
  const dependencies = new Map<string, string[]>();
  for (const line of moddep.split("\n")) {
    const [name, rest] = line.split(":");
    if (name !== undefined && rest !== undefined)
      dependencies.set(name, rest.trim().split(/\s+/).filter(Boolean));
  }
  const wanted = new Set<string>();
  const visit = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const dependency of dependencies.get(name) ?? []) visit(dependency);
  };
  for (const name of [...builtInModules, ...extraModules]) visit(name);
  return [...wanted].sort();
}
