import { statSync } from "node:fs";
import * as z from "zod";

/** What was looked at, and how it was then: paths with their stamps. */
export const stampsSchema = z.record(z.string(), z.string());
export type Stamps = z.infer<typeof stampsSchema>;

/**
 * Device, inode, size and times, as git's index keeps them: where these are the same, the content is. ctime cannot be set
 * back. A folder's stamp says that no name came or went. `absent` for what is not there.
 */
export function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return "absent";
  return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
}

export function stampsOf(paths: Iterable<string>): Stamps {
  return Object.fromEntries([...new Set(paths)].sort().map((path) => [path, stampOf(path)]));
}

export function areCurrent(stamps: Stamps): boolean {
  return Object.entries(stamps).every(([path, stamp]) => stampOf(path) === stamp);
}
