import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { StepError } from "../../format/errors.ts";
import { sha256Hex } from "../../format/digest.ts";
import type { Reporter } from "../../format/events.ts";
import { openReadAt } from "../ramdisk/read-at.ts";
import { compressionOf } from "../rootfs/archive-format.ts";
import { decompressed } from "../system/decompress.ts";
import { touch, withScratch } from "./helper-cache.ts";
import { stampOf } from "./input-stamps.ts";

/**
 * The kernel as QEMU starts it fastest: the ELF file inside a bzImage, entered by the PVH protocol. Unpacking it here takes
 * half a second, in an emulated processor three. Where that cannot be done, the image itself: slower, but it boots as well.
 */
export async function uncompressedKernel(
  image: string,
  cacheFolder: string,
  report: Reporter,
): Promise<string> {
  const result = join(
    cacheFolder,
    `vmlinux-${sha256Hex(Buffer.from(`${image} ${stampOf(image)}`)).slice(0, 24)}`,
  );
  if (existsSync(result)) {
    await touch(result);
    return result;
  }
  try {
    await mkdir(cacheFolder, { recursive: true });
    const { offset, end, compression } = kernelPayload(image);
    await withScratch(result, async (scratch) => {
      await pipeline(decompressed(image, compression, offset, end), createWriteStream(scratch));
      if (!hasPvhEntry(scratch)) throw new StepError("the kernel has no PVH entry");
      await rename(scratch, result);
    });
    return result;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report({ kind: "note", level: "info", message: `The helper starts ${image} as it is, slower: ${why}` });
    return image;
  }
}

/** Setup header: 0x1f1 sectors of setup code, 0x248 offset and 0x24c length of the payload in the protected-mode part. */
function kernelPayload(image: string) {
  const { readAt, close } = openReadAt(image);
  try {
    const header = readAt(0, 0x260);
    if (header.length < 0x260) throw new StepError("the kernel is cut off");
    const setupSectors = header[0x1f1] === 0 ? 4 : header[0x1f1]!;
    const offset = (setupSectors + 1) * 512 + header.readUInt32LE(0x248);
    const length = header.readUInt32LE(0x24c);
    const compression = compressionOf(readAt(offset, 8));
    // All but gzip, which has it anyway, are followed by the unpacked size.
    const end = offset + length - (compression === "gzip" ? 0 : 4);
    return { offset, end, compression };
  } finally {
    close();
  }
}

const noteSegment = 4;
/** XEN_ELFNOTE_PHYS32_ENTRY, which QEMU looks for. */
const pvhNoteType = 18;

function hasPvhEntry(file: string): boolean {
  const { readAt, close } = openReadAt(file);
  try {
    const head = readAt(0, 64);
    if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return false;
    const table = readAt(Number(head.readBigUInt64LE(32)), 56 * Math.min(head.readUInt16LE(56), 64));
    for (let at = 0; at + 56 <= table.length; at += 56) {
      if (table.readUInt32LE(at) !== noteSegment) continue;
      const size = Math.min(Number(table.readBigUInt64LE(at + 32)), 65536);
      if (hasNote(readAt(Number(table.readBigUInt64LE(at + 8)), size))) return true;
    }
    return false;
  } finally {
    close();
  }
}

/** Notes: name size, description size, type, then name and description, each padded to 4. */
function hasNote(notes: Buffer): boolean {
  for (let at = 0; at + 16 <= notes.length;) {
    const nameSize = notes.readUInt32LE(at);
    if (notes.readUInt32LE(at + 8) === pvhNoteType && notes.toString("latin1", at + 12, at + 15) === "Xen")
      return true;
    at += 12 + Math.ceil(nameSize / 4) * 4 + Math.ceil(notes.readUInt32LE(at + 4) / 4) * 4;
  }
  return false;
}
