import { sectorBytes, type LogSource } from "../../power/log/write-log.ts";

interface RawEntry {
  sector: number;
  sectors: number;
  flags: number;
  data?: Buffer;
}

/** A log as QEMU's blklogwrites leaves it on disk; `counted` is what its superblock says. */
export function logBytes(entries: readonly RawEntry[], counted = entries.length): Buffer {
  const parts = [header(0x6a736677736872n, 1n, BigInt(counted), BigInt(sectorBytes))];
  for (const { sector, sectors, flags, data } of entries) {
    parts.push(header(BigInt(sector), BigInt(sectors), BigInt(flags), 0n));
    if (data) parts.push(data);
  }
  return Buffer.concat(parts);
}

export function sourceOf(bytes: Buffer): LogSource {
  const read = async (target: Buffer, offset: number, length: number, position: number) => ({
    bytesRead: bytes.copy(target, offset, position, position + length),
    buffer: target,
  });
  return { read: read as LogSource["read"] };
}

function header(...words: readonly bigint[]): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  words.forEach((word, index) => sector.writeBigUInt64LE(word, index * 8));
  return sector;
}
