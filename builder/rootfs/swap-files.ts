import { parseFstab } from "../../agent/old-system/parse-fstab.ts";

/** Files that an fstab swaps to, as paths in the root filesystem: of no use to another machine, and often the largest of all. */
export function swapFiles(fstab: string): string[] {
  const found = parseFstab(fstab)
    .filter(({ type, source }) => type === "swap" && source.startsWith("/"))
    .map(({ source }) => source)
    // Devices; and what a pattern would take for more than one name.
    .filter((path) => !/^\/(?:dev|proc|sys)\/|[*?]/.test(path));
  return [...new Set(found)];
}
