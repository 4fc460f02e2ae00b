import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { ReadAt } from "./elf.ts";

/** Opens a file for a parser that reads a few bytes here and there. */
export function openReadAt(path: string): { readAt: ReadAt; size: number; close: () => void } {
  const file = openSync(path, "r");
  const size = fstatSync(file).size;
  const readAt: ReadAt = (offset, length) => {
    if (offset >= size || length <= 0) return Buffer.alloc(0);
    const buffer = Buffer.alloc(Math.min(length, size - offset));
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, offset));
  };
  return { readAt, size, close: () => closeSync(file) };
}
