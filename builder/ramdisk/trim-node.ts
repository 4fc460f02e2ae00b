import { cutFilePages } from "./elf-hole.ts";
import { findIcuData, isNeeded, packIcuData } from "./icu-data.ts";

/**
 * Node without the languages and encodings a gateway's conversion has no use for: a third of the program is ICU's data.
 * Changes the buffer given, of 90 MB, and returns a part of it. Undefined when the program is not built as expected; the caller
 * then takes it whole.
 */
export function trimNode(program: Buffer): Buffer | undefined {
  const data = findIcuData(program);
  if (!data) return undefined;
  const packed = packIcuData(program, data, data.items.filter(isNeeded));
  const last = data.items.at(-1)!;
  const end = data.tableOffset + last.offset + last.size;
  program.fill(0, data.tableOffset, end);
  packed.copy(program, data.tableOffset);
  return cutFilePages(program, data.tableOffset + packed.length, end);
}
