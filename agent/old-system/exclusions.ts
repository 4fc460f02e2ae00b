import type { Fstab } from "./parse-fstab.ts";

/** What slot B does without: what can be had again, what lives only while a system runs, and our own. Paths end in `/*`: content only. */
const excluded = [
  "/var/lib/dualroot/stash",
  "/var/lib/dualroot/download",
  "/var/lib/dualroot/attempt.json",
  // Mount point of the new boot partition; the one-shot GRUB entry had its kernel here.
  "/boot/dualroot/*",
  "/tmp/*",
  "/var/tmp/*",
  "/run/*",
  "/proc/*",
  "/sys/*",
  "/lost+found",
  "/var/cache/apt/archives/*.deb",
  "/var/cache/apt/*.bin",
  "/var/cache/yum/*",
  "/var/cache/dnf/*",
  "/var/cache/PackageKit/*",
  "/var/cache/zypp/packages/*",
];

/** tar's options for it: every filesystem has a lost+found, and swap files are as big as they are useless. */
export function exclusionOptions(fstab: Fstab, mountPoints: readonly string[]): string[] {
  const swapFiles = fstab
    .filter(({ type, source }) => type === "swap" && source.startsWith("/") && !source.startsWith("/dev/"))
    .map(({ source }) => escapePattern(source));
  const lostAndFound = mountPoints
    .filter((path) => path !== "/")
    .map((path) => `${escapePattern(path)}/lost+found`);
  return ["--anchored", "--wildcards"].concat(
    [...excluded, ...swapFiles, ...lostAndFound].map((path) => `--exclude=.${path}`),
  );
}

/** A name is no pattern. */
function escapePattern(path: string): string {
  return path.replace(/[*?[\]\\]/g, "\\$&");
}
