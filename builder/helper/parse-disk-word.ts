import type { HelperDisk } from "./inspect-disk.ts";

/** `FILE` or `FILE:ro`; a file whose name ends in `:ro` is given as `FILE:ro:rw`. */
export function parseDiskWord(word: string): Required<Pick<HelperDisk, "file" | "readOnly">> {
  const match = /^(.+):(ro|rw)$/s.exec(word);
  return match ? { file: match[1]!, readOnly: match[2] === "ro" } : { file: word, readOnly: false };
}
