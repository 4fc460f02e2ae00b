/** As much of a kernel module as the builder reads: an ELF file with a `.modinfo` section of these `key=value` words. */
export function tinyModule(words: readonly string[]): Buffer {
  const names = Buffer.from("\0.modinfo\0.shstrtab\0");
  const info = Buffer.from(words.map((word) => `${word}\0`).join(""));
  const head = Buffer.alloc(64);
  head.writeUInt32BE(0x7f454c46, 0);
  head.writeBigUInt64LE(BigInt(head.length + info.length + names.length), 40);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(3, 60);
  head.writeUInt16LE(2, 62);
  const section = (name: number, offset: number, size: number): Buffer => {
    const one = Buffer.alloc(64);
    one.writeUInt32LE(name, 0);
    one.writeBigUInt64LE(BigInt(offset), 24);
    one.writeBigUInt64LE(BigInt(size), 32);
    return one;
  };
  return Buffer.concat([
    head,
    info,
    names,
    Buffer.alloc(64),
    section(1, head.length, info.length),
    section(10, head.length + info.length, names.length),
  ]);
}
