/** What a dynamic linker looks symbols up with, as offsets in the file. Formats: ELF gABI 4.1; GNU hash as in binutils' elflink.c. */
export interface DynamicSymbols {
  /** One per symbol; 24 bytes each in the file. */
  symbols: { at: number; name: string; nameAt: number }[];
  /** Symbols from this one on can be found by others; those before are what the file itself wants. */
  firstExported: number;
  /** Where the hash values of the exported symbols begin, 4 bytes each. */
  chainAt: number;
  /** Numbers of the symbols that relocations name. */
  relocated: Set<number>;
  /** Offsets of strings that are no symbols' names: libraries, versions. */
  otherNames: number[];
}

export const symbolBytes = 24;
const loadSegment = 1;
const dynamicSegment = 2;
const tags = {
  needed: 1,
  pltRelocationBytes: 2,
  strings: 5,
  symbols: 6,
  relocations: 7,
  relocationBytes: 8,
  soname: 14,
  rPath: 15,
  pltRelocations: 23,
  runPath: 29,
  hash: 0x6ffffef5,
  versionNeeds: 0x6ffffffe,
  versionNeedCount: 0x6fffffff,
} as const;

/** Undefined for a file without a GNU hash table. Throws RangeError where the file is not what its tables say. */
export function dynamicSymbols(file: Buffer): DynamicSymbols | undefined {
  const { number, offsetOf, values } = readTables(file);
  const [strings, table, hash] = [tags.strings, tags.symbols, tags.hash].map((tag) => {
    const address = values(tag)[0];
    return address === undefined ? undefined : offsetOf(address);
  });
  if (strings === undefined || table === undefined || hash === undefined) return undefined;

  const bucketCount = file.readUInt32LE(hash);
  const firstExported = file.readUInt32LE(hash + 4);
  const buckets = hash + 16 + 8 * file.readUInt32LE(hash + 8);
  const chainAt = buckets + 4 * bucketCount;
  let last = firstExported - 1;
  for (let index = 0; index < bucketCount; index++)
    last = Math.max(last, file.readUInt32LE(buckets + 4 * index));
  // A chain's last value has its lowest bit set.
  if (last >= firstExported) {
    while ((file.readUInt32LE(chainAt + 4 * (last - firstExported)) & 1) === 0) last++;
  }
  const symbols = Array.from({ length: last + 1 }, (_, index) => {
    const at = table + index * symbolBytes;
    const nameAt = strings + file.readUInt32LE(at);
    return { at, nameAt, name: file.toString("latin1", nameAt, file.indexOf(0, nameAt)) };
  });

  const relocated = new Set<number>();
  for (const [begin, bytes] of [
    [tags.relocations, tags.relocationBytes],
    [tags.pltRelocations, tags.pltRelocationBytes],
  ] as const) {
    const from = offsetOf(values(begin)[0] ?? 0);
    if (from === undefined) continue;
    // Offset, type, symbol, addend.
    for (let at = from; at < from + (values(bytes)[0] ?? 0); at += 24) relocated.add(number(at + 12, 4));
  }

  const otherNames = [tags.needed, tags.soname, tags.rPath, tags.runPath]
    .flatMap(values)
    .map((offset) => strings + offset);
  let need = offsetOf(values(tags.versionNeeds)[0] ?? 0);
  for (let left = values(tags.versionNeedCount)[0] ?? 0; left > 0 && need !== undefined; left--) {
    otherNames.push(strings + number(need + 4, 4));
    let version = need + number(need + 8, 4);
    for (let count = number(need + 2, 2); count > 0; count--) {
      otherNames.push(strings + number(version + 8, 4));
      version += number(version + 12, 4);
    }
    need += number(need + 12, 4);
  }
  return { symbols, firstExported, chainAt, relocated, otherNames };
}

function readTables(file: Buffer) {
  const number = (at: number, bytes: 2 | 4 | 8): number =>
    bytes === 8 ? Number(file.readBigUInt64LE(at)) : file.readUIntLE(at, bytes);
  const segments = Array.from({ length: number(56, 2) }, (_, index) => {
    const at = number(32, 8) + index * number(54, 2);
    return {
      type: number(at, 4),
      offset: number(at + 8, 8),
      address: number(at + 16, 8),
      size: number(at + 32, 8),
    };
  });
  const offsetOf = (address: number): number | undefined => {
    const load = segments.find(
      (segment) =>
        segment.type === loadSegment &&
        address >= segment.address &&
        address < segment.address + segment.size,
    );
    return load && load.offset + address - load.address;
  };
  const dynamic = segments.find((segment) => segment.type === dynamicSegment);
  const pairs: { tag: number; value: number }[] = [];
  for (let at = dynamic?.offset ?? 0, left = dynamic?.size ?? 0; left >= 16; at += 16, left -= 16) {
    const tag = number(at, 8);
    if (tag === 0) break;
    pairs.push({ tag, value: number(at + 8, 8) });
  }
  const values = (tag: number): number[] =>
    pairs.filter((pair) => pair.tag === tag).map((pair) => pair.value);
  return { number, offsetOf, values };
}
