import { InternalError } from "../../format/errors.ts";
import type { ReadAt } from "./elf.ts";

/** What a kernel module says about itself in its `.modinfo` section (`modinfo FILE`). Names have `_` for `-`. */
export interface ModuleInfo {
  /** Modules whose symbols it uses. */
  depends: string[];
  /** Modules to be loaded before and after it; may be aliases. */
  softDependencies: { before: string[]; after: string[] };
  /** Patterns it answers to: `pci:v00001AF4d*sv*sd*bc*sc*i*`, `fs-xfs`. */
  aliases: string[];
  /** Paths below /lib/firmware. */
  firmware: string[];
}

const maximumSections = 4096;
const maximumSectionBytes = 4 * 1024 * 1024;

export function readModuleInfo(readAt: ReadAt, path: string): ModuleInfo {
  const section = findSection(readAt, ".modinfo", path);
  const values = new Map<string, string[]>();
  for (const word of section.toString("utf8").split("\0")) {
    const equals = word.indexOf("=");
    if (equals < 1) continue;
    const key = word.slice(0, equals);
    values.set(key, [...(values.get(key) ?? []), word.slice(equals + 1)]);
  }
  const all = (key: string): string[] => values.get(key) ?? [];
  return {
    depends: all("depends")
      .flatMap((line) => line.split(","))
      .filter(Boolean)
      .map(moduleName),
    softDependencies: softDependencies(all("softdep")),
    aliases: all("alias"),
    firmware: all("firmware"),
  };
}

/** `-` and `_` are one character to the kernel; a path's folder and `.ko`, `.ko.xz` do not count. */
export function moduleName(nameOrPath: string): string {
  return nameOrPath
    .slice(nameOrPath.lastIndexOf("/") + 1)
    .replace(/\.ko(\.gz|\.xz|\.zst)?$/, "")
    .replaceAll("-", "_");
}

/** `pre: a b post: c`. */
function softDependencies(lines: readonly string[]): ModuleInfo["softDependencies"] {
  const result: ModuleInfo["softDependencies"] = { before: [], after: [] };
  for (const line of lines) {
    let side = result.before;
    for (const word of line.split(/\s+/).filter(Boolean)) {
      if (word === "pre:") side = result.before;
      else if (word === "post:") side = result.after;
      else side.push(moduleName(word));
    }
  }
  return result;
}

/** ELF-64 section headers are 64 bytes: name, type, flags, address, offset (at 24), size (at 32), … */
function findSection(readAt: ReadAt, wanted: string, path: string): Buffer {
  const head = readAt(0, 64);
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46)
    throw new InternalError(`${path} is no kernel module`);
  const count = head.readUInt16LE(60);
  if (head.readUInt16LE(58) !== 64 || count > maximumSections)
    throw new InternalError(`${path} has a broken section table`);
  const table = readAt(Number(head.readBigUInt64LE(40)), count * 64);
  const nameIndex = head.readUInt16LE(62);
  if (table.length < count * 64 || nameIndex >= count) throw new InternalError(`${path} is cut off`);
  const read = (index: number): Buffer => {
    const size = Number(table.readBigUInt64LE(index * 64 + 32));
    if (size > maximumSectionBytes) throw new InternalError(`${path} has a section of ${size} bytes`);
    return readAt(Number(table.readBigUInt64LE(index * 64 + 24)), size);
  };
  const names = read(nameIndex);
  for (let index = 0; index < count; index++) {
    const start = table.readUInt32LE(index * 64);
    if (names.toString("latin1", start, Math.max(start, names.indexOf(0, start))) === wanted)
      return read(index);
  }
  throw new InternalError(`${path} has no ${wanted} section`);
}
