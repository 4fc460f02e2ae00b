import { open } from "node:fs/promises";
import type { FileWindow } from "../../vm/description.ts";
import { diskFormatOf, type DiskFormat } from "./disk-format.ts";

/** What a file, or a part of one, is as a disk image; undefined: none. */
export async function diskFormatAt(
  path: string,
  { offset, sizeBytes }: FileWindow,
): Promise<DiskFormat | undefined> {
  const file = await open(path, "r");
  try {
    const [head, tail] = [Buffer.alloc(Math.min(4096, sizeBytes)), Buffer.alloc(Math.min(512, sizeBytes))];
    await file.read(head, 0, head.length, offset);
    await file.read(tail, 0, tail.length, offset + sizeBytes - tail.length);
    return diskFormatOf(head, tail);
  } finally {
    await file.close();
  }
}
