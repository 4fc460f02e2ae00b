import { compressionOf } from "../../rootfs/archive-format.ts";

export type DiskFormat = "qcow2" | "vmdk" | "vdi" | "vhd" | "vhdx" | "raw";

/**
 * What a file's first 4 KiB and last 512 bytes say it is, never its name. A raw disk is told by its partition table or LVM label; a
 * filesystem without a table by its superblock. undefined: no disk image.
 */
export function diskFormatOf(head: Buffer, tail: Buffer): DiskFormat | undefined {
  const text = (at: number, length: number) => head.toString("latin1", at, at + length);
  if (text(0, 4) === "QFI\u00fb") return "qcow2";
  // Sparse and stream-optimised; a descriptor that names the files of a flat one; ESX's old kind.
  if (text(0, 4) === "KDMV" || text(0, 4) === "COWD" || /^# Disk DescriptorFile/i.test(text(0, 21)))
    return "vmdk";
  if (text(0, 8) === "vhdxfile") return "vhdx";
  if (head.length >= 68 && head.readUInt32LE(64) === 0xbeda107f) return "vdi";
  // Fixed ones have it at the end only.
  if (text(0, 8) === "conectix" || tail.toString("latin1", 0, 8) === "conectix") return "vhd";
  // The marks of raw disks are short, and may come up by chance in an archive.
  if (compressionOf(head) !== "none" || text(257, 5) === "ustar") return undefined;
  if (isLuks(head)) return "raw";
  if (text(512, 8) === "EFI PART" || text(512, 8) === "LABELONE" || text(0, 4) === "XFSB") return "raw";
  if (head.length >= 1082 && head.readUInt16LE(1080) === 0xef53) return "raw";
  return head.length >= 512 && head.readUInt16LE(510) === 0xaa55 ? "raw" : undefined;
}

/** A disk that is encrypted as a whole, versions 1 and 2. */
export function isLuks(head: Buffer): boolean {
  return head.toString("latin1", 0, 6) === "LUKS\u00ba\u00be";
}
