const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as GPT, gzip and xz use it (reflected, polynomial 0x04C11DB7). `zlib.crc32` would need Node 20.15. */
export function crc32(bytes: Uint8Array, start = 0xffffffff): number {
  let value = start;
  for (const byte of bytes) value = (value >>> 8) ^ table[(value ^ byte) & 0xff]!;
  return ~value >>> 0;
}
