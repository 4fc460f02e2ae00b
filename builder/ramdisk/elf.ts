import * as z from "zod";
import { InternalError } from "../../format/errors.ts";

/** What a dynamic linker reads of a program or library. Offsets and names follow the ELF-64 specification (gABI 4.1). */
export interface ElfFacts {
  /** PT_INTERP, `/lib64/ld-linux-x86-64.so.2`; absent in libraries and static programs. */
  interpreter?: string;
  /** DT_NEEDED, in order. */
  needed: string[];
  /** DT_RUNPATH, or DT_RPATH where there is none, split at `:`, `$ORIGIN` unresolved. */
  runPaths: string[];
  /** Sonames from `.note.dlopen`: libraries that are opened at run time (uapi-group.org, "ELF dlopen metadata"). */
  opened: string[];
}

/** Reads `length` bytes at `offset` of the file; fewer when it ends there. */
export type ReadAt = (offset: number, length: number) => Buffer;

const loadSegment = 1;
const dynamicSegment = 2;
const interpreterSegment = 3;
const noteSegment = 4;
const tags = { needed: 1n, stringTable: 5n, stringTableSize: 10n, rPath: 15n, runPath: 29n } as const;
const dlopenNoteType = 0x407c0c0a;

/** Bounds: a linker never needs more, and a broken file must not make the builder read gigabytes. */
const maximumProgramHeaders = 128;
const maximumSegmentBytes = 1024 * 1024;
const maximumStringTable = 16 * 1024 * 1024;

interface Segment {
  type: number;
  offset: number;
  address: bigint;
  size: number;
}

/** Undefined for a file that is no x86-64 ELF program or library (scripts, data, other machines). */
export function readElf(readAt: ReadAt): ElfFacts | undefined {
  const head = readAt(0, 64);
  const isElf64 = head.length === 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;
  const machineX86_64 = 62;
  if (!isElf64 || head.readUInt16LE(18) !== machineX86_64) return undefined;
  const segments = readSegments(readAt, head);
  const facts: ElfFacts = { needed: [], runPaths: [], opened: [] };
  const interpreter = segments.find((segment) => segment.type === interpreterSegment);
  if (interpreter) facts.interpreter = text(readSegment(readAt, interpreter), 0);
  const dynamic = segments.find((segment) => segment.type === dynamicSegment);
  if (dynamic) readDynamic(readAt, segments, readSegment(readAt, dynamic), facts);
  for (const note of segments.filter((segment) => segment.type === noteSegment)) {
    facts.opened.push(...dlopenNotes(readSegment(readAt, note)));
  }
  return facts;
}

function readSegments(readAt: ReadAt, head: Buffer): Segment[] {
  const entrySize = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  if (count === 0) return [];
  if (entrySize < 56 || count > maximumProgramHeaders)
    throw new InternalError("the ELF program header table is broken");
  const table = readAt(fileOffset(head.readBigUInt64LE(32)), entrySize * count);
  if (table.length < entrySize * count)
    throw new InternalError("the ELF file is cut off in its program headers");
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    return {
      type: table.readUInt32LE(at),
      offset: fileOffset(table.readBigUInt64LE(at + 8)),
      address: table.readBigUInt64LE(at + 16),
      size: fileOffset(table.readBigUInt64LE(at + 32)),
    };
  });
}

function readSegment(readAt: ReadAt, segment: Segment): Buffer {
  if (segment.size > maximumSegmentBytes)
    throw new InternalError(`an ELF segment of ${segment.size} bytes is too large to be read`);
  return readAt(segment.offset, segment.size);
}

function readDynamic(readAt: ReadAt, segments: Segment[], table: Buffer, facts: ElfFacts): void {
  const pairs: { tag: bigint; value: bigint }[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = table.readBigUInt64LE(at);
    if (tag === 0n) break;
    pairs.push({ tag, value: table.readBigUInt64LE(at + 8) });
  }
  const valueOf = (tag: bigint): bigint | undefined => pairs.find((pair) => pair.tag === tag)?.value;
  const address = valueOf(tags.stringTable);
  const size = Number(valueOf(tags.stringTableSize) ?? 0n);
  if (address === undefined || size > maximumStringTable) return;
  const load = segments.find(
    (segment) =>
      segment.type === loadSegment &&
      address >= segment.address &&
      address < segment.address + BigInt(segment.size),
  );
  if (!load) throw new InternalError("the ELF string table lies outside the file");
  const strings = readAt(load.offset + Number(address - load.address), size);
  facts.needed = pairs
    .filter((pair) => pair.tag === tags.needed)
    .map((pair) => text(strings, Number(pair.value)));
  const path = valueOf(tags.runPath) ?? valueOf(tags.rPath);
  if (path !== undefined) facts.runPaths = text(strings, Number(path)).split(":").filter(Boolean);
}

/** Notes are (name size, description size, type), each part padded to 4 bytes. Ours has owner FDO and a JSON description. */
function dlopenNotes(notes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + 12 <= notes.length;) {
    const nameSize = notes.readUInt32LE(at);
    const size = notes.readUInt32LE(at + 4);
    const start = at + 12 + padded(nameSize);
    if (notes.readUInt32LE(at + 8) === dlopenNoteType && text(notes, at + 12) === "FDO") {
      found.push(...sonames(text(notes.subarray(0, start + size), start)));
    }
    at = start + padded(size);
  }
  return found;
}

const dlopenSchema = z.array(z.looseObject({ soname: z.array(z.string()) }));

function sonames(json: string): string[] {
  try {
    return dlopenSchema.parse(JSON.parse(json)).flatMap((feature) => feature.soname);
  } catch {
    // A hint that cannot be read is no hint; what is needed stands in DT_NEEDED.
    return [];
  }
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function text(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString("utf8", start, end === -1 ? bytes.length : end);
}

function fileOffset(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new InternalError("an ELF offset is out of range");
  return Number(value);
}
