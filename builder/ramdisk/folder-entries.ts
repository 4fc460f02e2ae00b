import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { InternalError } from "../../format/errors.ts";
import type { CpioEntry } from "./cpio.ts";

/** A folder of the build host as entries below `top`. Only "may be run" is taken from a file's mode: umask must not change the image. */
export function folderEntries(folder: string, top: string): CpioEntry[] {
  return readdirSync(folder).flatMap((name): CpioEntry[] => {
    const path = join(folder, name);
    const inside = top === "" ? name : `${top}/${name}`;
    const stat = lstatSync(path);
    if (stat.isDirectory()) return folderEntries(path, inside);
    if (stat.isSymbolicLink()) return [{ type: "symlink", path: inside, target: readlinkSync(path) }];
    if (!stat.isFile()) throw new InternalError(`${path} is neither file, folder nor link`);
    const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755;
    return [{ type: "file", path: inside, mode, source: { path, size: stat.size } }];
  });
}

/** The entries with every folder above them; nothing may lie below a link (`lib/x` where `lib` is a link to `usr/lib`). */
export function withFolders(entries: readonly CpioEntry[]): CpioEntry[] {
  const present = new Set(entries.map((entry) => entry.path));
  const folders = new Set<string>();
  for (const entry of entries) {
    for (let folder = dirname(entry.path); folder !== "." && !present.has(folder); folder = dirname(folder))
      folders.add(folder);
  }
  return [...[...folders].map((path): CpioEntry => ({ type: "directory", path, mode: 0o755 })), ...entries];
}
