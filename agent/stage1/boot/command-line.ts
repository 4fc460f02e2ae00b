/** The ramdisk's kernel command line; its words are listed in docs/power.md. */
export function ramdiskCommandLine(options: {
  filesystemUuid: string;
  /** Folder of stash.json, from the top of that filesystem. */
  stashPath: string;
  stashSha256: string;
  /** Disk mode: where stash.json lies, in sectors of 512 bytes. */
  stashAt?: { sector: number; count: number };
  /** `console=` words of the old system, in order. */
  consoles: readonly string[];
  rehearse: boolean;
  /** Safeguards of stage 2 that a test leaves out; it is stage 2 that decides. */
  without?: readonly string[];
}): string {
  const { without = [] } = options;
  return [
    "dualroot.mode=convert",
    `dualroot.stash=${options.filesystemUuid}:${options.stashPath}`,
    ...(options.stashAt ? [`dualroot.stash_at=${options.stashAt.sector}+${options.stashAt.count}`] : []),
    `dualroot.stash_sha256=${options.stashSha256}`,
    ...(options.rehearse ? ["dualroot.rehearse=1"] : []),
    ...(without.length > 0 ? [`dualroot.without=${without.join(",")}`] : []),
    "panic=30",
    ...options.consoles,
  ].join(" ");
}

/** `console=` words of a kernel command line, in order: the last is /dev/console. */
export function consoleWords(commandLine: string): string[] {
  return commandLine.split(/\s+/).filter((word) => /^console=[A-Za-z0-9,._-]+$/.test(word));
}
