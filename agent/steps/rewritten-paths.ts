/**
 * Files of the root filesystem that our own steps rewrite, so that their digests in the package's index no longer hold:
 * write-fstab, install-boot-files, rebuild-initramfs. What restore-identity changes it names itself. Everything else must
 * read back equal.
 */
const rewritten: readonly RegExp[] = [
  /^\/etc\/fstab$/,
  /^\/etc\/dualroot\//,
  /^\/boot\/slot\.cfg$/,
  /^\/boot\/(initrd\.img|initramfs)-[^/]+$/,
];

/** `changed` are paths of files, or of folders that came as a whole; all paths start with `/`. */
export function mayDiffer(path: string, changed: readonly string[]): boolean {
  return (
    rewritten.some((pattern) => pattern.test(path)) ||
    changed.some((other) => path === other || path.startsWith(`${other}/`))
  );
}
