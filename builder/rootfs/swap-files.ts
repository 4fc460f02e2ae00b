/** Files that an fstab swaps to, as paths in the root filesystem: of no use to another machine, and often the largest of all. */
export function swapFiles(fstab: string): string[] {
  const found = fstab
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([source, , type]) =>
        type === "swap" && source?.startsWith("/") && !/^\/(?:dev|proc|sys)\//.test(source),
    )
    // Spaces are written as octal numbers; patterns take names as they are.
    .map(([source]) =>
      source!.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
    );
  return [...new Set(found)].filter((path) => !/[*?]/.test(path));
}
