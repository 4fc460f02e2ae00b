import { InternalError } from "../../format/errors.ts";

/**
 * ICU's common data (`icudtNNl.dat`): a header, then a table of contents, then items at multiples of 16.
 * The table counts from its own first byte: number of items, then (offset of name, offset of data) each, sorted by name.
 * Source: ICU's udata.h (UDataInfo) and ucmndata.h (UDataOffsetTOC).
 */
export interface IcuData {
  /** Where the table of contents begins in the file. */
  tableOffset: number;
  items: IcuItem[];
}

export interface IcuItem {
  /** `icudt78l/coll/en.res`. */
  name: string;
  /** From the table's first byte. */
  offset: number;
  size: number;
}

const headerMagic = 0x27da;
const maximumItems = 20_000;

/** The one ICU data block in a program; undefined when there is none that is whole. */
export function findIcuData(program: Buffer): IcuData | undefined {
  for (let at = program.indexOf("CmnD"); at !== -1; at = program.indexOf("CmnD", at + 1)) {
    const header = at - 12;
    if (header < 0 || program.readUInt16LE(header + 2) !== headerMagic) continue;
    const tableOffset = header + program.readUInt16LE(header);
    const items = readItems(program, tableOffset);
    if (items) return { tableOffset, items };
  }
  return undefined;
}

function readItems(program: Buffer, table: number): IcuItem[] | undefined {
  const count = program.readUInt32LE(table);
  if (count === 0 || count > maximumItems) return undefined;
  const items: IcuItem[] = [];
  for (let index = 0; index < count; index++) {
    const at = table + 4 + index * 8;
    const name = table + program.readUInt32LE(at);
    const offset = program.readUInt32LE(at + 4);
    const isLast = index === count - 1;
    const end = isLast ? lastItemEnd(program, table, offset) : program.readUInt32LE(at + 12);
    if (end <= offset || table + end > program.length) return undefined;
    items.push({
      name: program.toString("latin1", name, program.indexOf(0, name)),
      offset,
      size: end - offset,
    });
  }
  return items;
}

/** The last item's size stands nowhere; it is a resource bundle, whose own index says it (in 32-bit words, its fourth number). */
function lastItemEnd(program: Buffer, table: number, offset: number): number {
  const headerSize = program.readUInt16LE(table + offset);
  const indexes = table + offset + headerSize + 4;
  const words = program.readUInt32LE(indexes + 3 * 4);
  return offset + headerSize + words * 4;
}

const folders = ["brkitr", "coll", "curr", "lang", "rbnf", "region", "unit", "zone"];
const everywhere = ["pool.res", "root.res", "res_index.res", "supplementalData.res", "ucadata.icu"];
/** windows-1252, which is what the web calls latin1. */
const encodings = ["ibm-5348_P100-1997.cnv"];
const boundaries = ["char.brk", "word.brk", "line.brk", "sent.brk", "title.brk"];

/** Names of characters, look-alikes, profiles of stringprep: nothing in JavaScript asks for them. */
const unused = /(unames\.icu|confusables\.cfu|\.spp)$/;

/** English, time zones, normalisation and character properties stay; other languages and old encodings go. */
export function isNeeded(item: IcuItem): boolean {
  const [, ...parts] = item.name.split("/");
  const file = parts.at(-1)!;
  const isEnglish = /^en(_(US|GB|001))?\.res$/.test(file);
  if (parts.length === 2) {
    return (
      folders.includes(parts[0]!) && (everywhere.includes(file) || isEnglish || boundaries.includes(file))
    );
  }
  if (unused.test(file)) return false;
  if (file.endsWith(".cnv")) return encodings.includes(file);
  // Locales have a language's two or three letters; tables like metaZones.res have longer names.
  return !/^[a-z]{2,3}(_.*)?\.res$/.test(file) || isEnglish;
}

/** The table, names and items of `kept`, packed; to be laid at `tableOffset`. */
export function packIcuData(program: Buffer, data: IcuData, kept: readonly IcuItem[]): Buffer {
  const names = kept.map((item) => Buffer.from(`${item.name}\0`, "latin1"));
  let nameOffset = 4 + kept.length * 8;
  let offset = aligned(nameOffset + names.reduce((sum, name) => sum + name.length, 0));
  const packed = Buffer.alloc(offset + kept.reduce((sum, item) => sum + aligned(item.size), 0));
  packed.writeUInt32LE(kept.length, 0);
  for (const [index, item] of kept.entries()) {
    packed.writeUInt32LE(nameOffset, 4 + index * 8);
    packed.writeUInt32LE(offset, 8 + index * 8);
    names[index]!.copy(packed, nameOffset);
    program.copy(packed, offset, data.tableOffset + item.offset, data.tableOffset + item.offset + item.size);
    nameOffset += names[index]!.length;
    offset += aligned(item.size);
  }
  const last = data.items.at(-1)!;
  if (packed.length > last.offset + last.size)
    throw new InternalError("packed ICU data became larger than it was");
  return packed;
}

function aligned(size: number): number {
  return Math.ceil(size / 16) * 16;
}
