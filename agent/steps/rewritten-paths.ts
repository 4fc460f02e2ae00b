/**
 * Files of the root filesystem that our own steps rewrite or take away, so that their digests in the package's index no longer hold.
 * What restore-identity changes it names itself. What was written is compared with what was recorded then; everything else must read
 * back equal to the package.
 */
const rewritten: readonly RegExp[] = [/^\/etc\/fstab$/, /^\/etc\/dualroot\//, /^\/boot\/slot\.cfg$/];

/** `changed` are paths of files, or of folders that came as a whole; all paths start with `/`. */
export function mayDiffer(path: string, changed: readonly string[]): boolean {
  return (
    rewritten.some((pattern) => pattern.test(path)) ||
    changed.some((other) => path === other || path.startsWith(`${other}/`))
  );
}
