export const entryId = "dualroot-convert";
/** Variable in grubenv; `1` lets the entry boot the ramdisk once. */
export const armedVariable = "dualroot_armed";

const begin = "### BEGIN dualroot: boots the conversion's ramdisk once; removed by `upgrade.sh cancel` ###";
const end = "### END dualroot ###";

/** GRUB's modules to read a filesystem, by the name the kernel has for it. */
const filesystemModules: Record<string, string> = { ext2: "ext2", ext3: "ext2", ext4: "ext2", xfs: "xfs" };

export interface GrubEntry {
  /** UUID and type of the filesystem with kernel and ramdisk. */
  filesystemUuid: string;
  filesystemType: string;
  /** `dos` or `gpt`. */
  tableType: "dos" | "gpt";
  /** Folder of kernel and ramdisk from the top of that filesystem: `/dualroot`, or `/boot/dualroot`. */
  folder: string;
  commandLine: string;
}

/**
 * The entry's text for custom.cfg. grub.cfg clears next_entry, and this entry clears dualroot_armed and goes on only when
 * that was saved: whatever happens after, the next reset is the old system. `fallback` is what GRUB takes when an entry
 * ends without booting; without it the menu would wait for a key for ever.
 */
export function renderGrubEntry(entry: GrubEntry): string {
  const { filesystemUuid, folder, commandLine } = entry;
  const modules = [
    entry.tableType === "gpt" ? "part_gpt" : "part_msdos",
    filesystemModules[entry.filesystemType],
  ];
  return [
    begin,
    `menuentry "Convert this gateway to a dual system" --unrestricted --id ${entryId} {`,
    "  set fallback=0",
    "  load_env",
    `  if [ "\${${armedVariable}}" = "1" ]; then`,
    `    set ${armedVariable}=0`,
    `    if save_env ${armedVariable}; then`,
    ...modules.filter(Boolean).map((module) => `      insmod ${module}`),
    `      search --no-floppy --fs-uuid --set=root ${grubWord(filesystemUuid)}`,
    `      if [ -f ${folder}/vmlinuz-convert -a -f ${folder}/initramfs-convert.img ]; then`,
    `        linux ${folder}/vmlinuz-convert ${commandLine.split(" ").map(grubWord).join(" ")}`,
    `        initrd ${folder}/initramfs-convert.img`,
    "      fi",
    "    fi",
    "  fi",
    "}",
    end,
    "",
  ].join("\n");
}

/** custom.cfg with our entry: once, at its end, whatever else is there kept. */
export function addGrubEntry(customConfig: string, entry: string): string {
  const rest = removeGrubEntry(customConfig);
  return `${rest}${rest === "" || rest.endsWith("\n") ? "" : "\n"}${entry}`;
}

/** custom.cfg without our entry; a file we had made becomes empty. */
export function removeGrubEntry(customConfig: string): string {
  const start = customConfig.indexOf(begin);
  if (start < 0) return customConfig;
  const stop = customConfig.indexOf(end, start);
  if (stop < 0) return customConfig.slice(0, start);
  return customConfig.slice(0, start) + customConfig.slice(stop + end.length).replace(/^\n/, "");
}

export function hasGrubEntry(customConfig: string): boolean {
  return customConfig.includes(begin);
}

/** A word as GRUB's shell reads it back: single quotes keep everything but themselves. */
function grubWord(word: string): string {
  return /^[A-Za-z0-9_./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
