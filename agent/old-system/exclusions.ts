import type { Fstab } from "./parse-fstab.ts";

/** Our own. */
const ownFolders = ["/var/lib/dualroot/stash", "/var/lib/dualroot/download"];
/** Content that can be had again. */
const emptied = [
  // Mount point of the new boot partition; the one-shot GRUB entry had its kernel here.
  "/boot/dualroot",
  "/tmp",
  "/var/tmp",
  "/var/cache/yum",
  "/var/cache/dnf",
  "/var/cache/PackageKit",
  "/var/cache/zypp/packages",
];
/** What they hold is not in slot B, and so counts nowhere. */
export const leftOutFolders: readonly string[] = [...ownFolders, ...emptied];
/** Where upgrade.sh unpacks the agent when /var/tmp will not do. */
export const runtimeFolders = ["/var/lib", "/root", "/opt"].map((base) => ({
  base,
  prefix: "dualroot-runtime.",
}));

/** What slot B does without. Paths end in `/*`: content only. */
const excluded = [
  ...ownFolders,
  ...emptied.map((folder) => `${folder}/*`),
  ...runtimeFolders.map(({ base, prefix }) => `${base}/${prefix}*`),
  "/var/lib/dualroot/attempt.json",
  "/run/*",
  "/proc/*",
  "/sys/*",
  "/lost+found",
  "/var/cache/apt/archives/*.deb",
  "/var/cache/apt/*.bin",
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
