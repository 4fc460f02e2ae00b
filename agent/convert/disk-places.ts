import { open } from "node:fs/promises";
import { devicePath } from "../facts/block-devices.ts";
import { openTree } from "../facts/tree.ts";
import type { ByteRange } from "../plan/step.ts";

const notDisks = /^(ram|loop|dm-|md|sr|fd|zram|nbd)/;

/** Device paths. */
export async function wholeDisks(): Promise<string[]> {
  const names = await openTree("/").list("/sys/block");
  return names.filter((name) => !notDisks.test(name)).map((name) => devicePath(name));
}

/** undefined when the disk ends before. */
export async function readPlace(
  disk: string,
  { startBytes, sizeBytes }: ByteRange,
): Promise<Buffer | undefined> {
  const file = await open(disk, "r");
  try {
    const bytes = Buffer.alloc(sizeBytes);
    const { bytesRead } = await file.read(bytes, 0, sizeBytes, startBytes);
    return bytesRead === sizeBytes ? bytes : undefined;
  } finally {
    await file.close();
  }
}
