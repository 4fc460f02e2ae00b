import { crc32 } from "./crc32.ts";
import { guidFromBytes, guidToBytes, isGuid } from "./guid.ts";

/** GUIDs are lower-case text everywhere. Sectors are logical sectors; `lastSector` is inclusive, as in GPT. */
export interface PlannedPartition {
  /** 1-based slot in the table. */
  number: number;
  name: string;
  typeGuid: string;
  guid: string;
  firstSector: number;
  lastSector: number;
}

export interface PlannedTable {
  diskGuid: string;
  sectorBytes: number;
  diskSectors: number;
  partitions: PlannedPartition[];
}

export const partitionTypes = {
  biosBoot: "21686148-6449-6e6f-744e-656564454649",
  linuxFilesystem: "0fc63daf-8483-4772-8e79-3d69d8477de4",
  linuxLvm: "e6d6d379-f507-44c2-a23c-238f2a3df928",
} as const;

/** The only sector size supported: BIOS boots no other, and the refusal says so before anything is written. */
export const gptSectorBytes = 512;
export const gptEntries = 128;
const entryBytes = 128;
const entriesBytes = gptEntries * entryBytes;
const headerBytes = 92;
const nameCharacters = 36;
const unusedType = "00000000-0000-0000-0000-000000000000";
/** Protective MBR, main header, backup header, entries. */
export const sgdiskBackupBytes = 3 * gptSectorBytes + entriesBytes;
/** MBR, header and entries in front; entries and header behind. */
export const gptFirstUsableSector = 2 + entriesBytes / gptSectorBytes;
export const gptLastUsableSector = (diskSectors: number): number => diskSectors - gptFirstUsableSector;
const smallestDisk = 2 * gptFirstUsableSector + 1;

/** The bytes are not a partition table as `sgdisk --backup` writes it; the message says where. */
export class PartitionTableError extends Error {
  override readonly name = "PartitionTableError";
}

/** The table's parts, to the byte as sgdisk writes them; the entries lie on the disk twice. */
export interface EncodedTable {
  protectiveMbr: Buffer;
  header: Buffer;
  backupHeader: Buffer;
  entries: Buffer;
}

export function encodeTable(table: PlannedTable): EncodedTable {
  const fault = findFault(table);
  if (fault) throw new PartitionTableError(fault);
  const entries = encodeEntries(table.partitions);
  return {
    protectiveMbr: encodeProtectiveMbr(table.diskSectors),
    header: encodeHeader(table, entries, "main"),
    backupHeader: encodeHeader(table, entries, "backup"),
    entries,
  };
}

/** The file `sgdisk --backup` writes for a disk that holds this table, to the byte; `sgdisk --load-backup` reads it. */
export function encodeSgdiskBackup(table: PlannedTable): Uint8Array {
  const { protectiveMbr, header, backupHeader, entries } = encodeTable(table);
  return Buffer.concat([protectiveMbr, header, backupHeader, entries]);
}

/** Accepts exactly what `encodeSgdiskBackup` and sgdisk write: 17920 bytes, both headers sound and agreeing, partitions apart. */
export function decodeSgdiskBackup(bytes: Uint8Array): PlannedTable {
  if (bytes.length !== sgdiskBackupBytes)
    throw new PartitionTableError(`is ${bytes.length} bytes long, not ${sgdiskBackupBytes}`);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const mbr = all.subarray(0, gptSectorBytes);
  if (mbr.readUInt16LE(510) !== 0xaa55 || mbr[0x1c2] !== 0xee)
    throw new PartitionTableError("has no protective MBR");
  const entries = all.subarray(3 * gptSectorBytes);
  const main = decodeHeader(all.subarray(gptSectorBytes, 2 * gptSectorBytes), entries, "main");
  const backup = decodeHeader(all.subarray(2 * gptSectorBytes, 3 * gptSectorBytes), entries, "backup");
  if (main.diskSectors !== backup.diskSectors || main.diskGuid !== backup.diskGuid) {
    throw new PartitionTableError("main and backup header belong to different disks");
  }
  const table: PlannedTable = { ...main, sectorBytes: gptSectorBytes, partitions: decodeEntries(entries) };
  const fault = findFault(table);
  if (fault) throw new PartitionTableError(fault);
  return table;
}

function findFault(table: PlannedTable): string | undefined {
  if (table.sectorBytes !== gptSectorBytes)
    return `has sectors of ${table.sectorBytes} bytes, only ${gptSectorBytes} is supported`;
  if (!Number.isSafeInteger(table.diskSectors) || table.diskSectors < smallestDisk) {
    return `is for a disk of ${table.diskSectors} sectors, a GPT needs at least ${smallestDisk}`;
  }
  if (!isGuid(table.diskGuid)) return `has the disk GUID "${table.diskGuid}", which is none`;
  const last = gptLastUsableSector(table.diskSectors);
  const inOrder = [...table.partitions].sort((a, b) => a.firstSector - b.firstSector);
  const numbers = new Set<number>();
  let free = gptFirstUsableSector;
  for (const { number, name, typeGuid, guid, firstSector, lastSector } of inOrder) {
    if (!(Number.isInteger(number) && number >= 1 && number <= gptEntries))
      return `has no room for partition number ${number}`;
    if (numbers.has(number)) return `has two partitions number ${number}`;
    numbers.add(number);
    if (!isGuid(guid) || !isGuid(typeGuid) || typeGuid === unusedType)
      return `has a wrong GUID on partition ${number}`;
    if (name.length > nameCharacters)
      return `has a name longer than ${nameCharacters} characters on partition ${number}`;
    if (!Number.isSafeInteger(firstSector) || !Number.isSafeInteger(lastSector))
      return `has fractional sectors in partition ${number}`;
    if (lastSector < firstSector) return `has partition ${number} end before it starts`;
    if (firstSector < free)
      return `has partition ${number} start at sector ${firstSector}, inside what lies before it`;
    if (lastSector > last)
      return `has partition ${number} end at sector ${lastSector}, the last usable one is ${last}`;
    free = lastSector + 1;
  }
  return undefined;
}

function encodeProtectiveMbr(diskSectors: number): Buffer {
  const mbr = Buffer.alloc(gptSectorBytes);
  // CHS 0/0/2 to "beyond CHS", type EE, from sector 1 to the end or as far as 32 bits reach.
  mbr.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 0x1be);
  mbr.writeUInt32LE(1, 0x1c6);
  mbr.writeUInt32LE(Math.min(diskSectors - 1, 0xffffffff), 0x1ca);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

function encodeHeader(table: PlannedTable, entries: Buffer, which: "main" | "backup"): Buffer {
  const end = table.diskSectors - 1;
  const header = Buffer.alloc(gptSectorBytes);
  header.write("EFI PART", 0, "latin1");
  header.writeUInt32LE(0x00010000, 8);
  header.writeUInt32LE(headerBytes, 12);
  header.writeBigUInt64LE(BigInt(which === "main" ? 1 : end), 24);
  header.writeBigUInt64LE(BigInt(which === "main" ? end : 1), 32);
  header.writeBigUInt64LE(BigInt(gptFirstUsableSector), 40);
  header.writeBigUInt64LE(BigInt(gptLastUsableSector(table.diskSectors)), 48);
  header.set(guidToBytes(table.diskGuid), 56);
  header.writeBigUInt64LE(BigInt(which === "main" ? 2 : end - entriesBytes / gptSectorBytes), 72);
  header.writeUInt32LE(gptEntries, 80);
  header.writeUInt32LE(entryBytes, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header.subarray(0, headerBytes)), 16);
  return header;
}

function decodeHeader(
  sector: Buffer,
  entries: Buffer,
  which: "main" | "backup",
): { diskGuid: string; diskSectors: number } {
  const fail = (what: string): never => {
    throw new PartitionTableError(`has a ${which} header ${what}`);
  };
  if (sector.toString("latin1", 0, 8) !== "EFI PART") fail("without the GPT signature");
  const header = Buffer.from(sector.subarray(0, headerBytes));
  header.writeUInt32LE(0, 16);
  if (crc32(header) !== sector.readUInt32LE(16)) fail("with a wrong checksum");
  if (crc32(entries) !== sector.readUInt32LE(88)) fail("whose checksum of the entries is wrong");
  const diskSectors = readSector(sector, which === "main" ? 32 : 24) + 1;
  if (diskSectors < smallestDisk) fail("for a disk too small for a GPT");
  const diskGuid = guidFromBytes(sector.subarray(56, 72));
  // Nothing in a header is free once disk size and GUID are known, so it must be the one we would write.
  if (
    !encodeHeader(
      { diskGuid, diskSectors, sectorBytes: gptSectorBytes, partitions: [] },
      entries,
      which,
    ).equals(sector)
  ) {
    fail("of another shape than sgdisk's");
  }
  return { diskGuid, diskSectors };
}

function encodeEntries(partitions: readonly PlannedPartition[]): Buffer {
  const entries = Buffer.alloc(entriesBytes);
  for (const partition of partitions) {
    const entry = entries.subarray((partition.number - 1) * entryBytes, partition.number * entryBytes);
    entry.set(guidToBytes(partition.typeGuid), 0);
    entry.set(guidToBytes(partition.guid), 16);
    entry.writeBigUInt64LE(BigInt(partition.firstSector), 32);
    entry.writeBigUInt64LE(BigInt(partition.lastSector), 40);
    entry.write(partition.name, 56, "utf16le");
  }
  return entries;
}

function decodeEntries(entries: Buffer): PlannedPartition[] {
  const partitions: PlannedPartition[] = [];
  for (let number = 1; number <= gptEntries; number++) {
    const entry = entries.subarray((number - 1) * entryBytes, number * entryBytes);
    if (entry.every((byte) => byte === 0)) continue;
    if (entry.readBigUInt64LE(48) !== 0n)
      throw new PartitionTableError(`has attribute bits set on partition ${number}`);
    const name = entry.toString("utf16le", 56, 56 + 2 * nameCharacters);
    partitions.push({
      number,
      name: name.replace(/\0+$/u, ""),
      typeGuid: guidFromBytes(entry.subarray(0, 16)),
      guid: guidFromBytes(entry.subarray(16, 32)),
      firstSector: readSector(entry, 32),
      lastSector: readSector(entry, 40),
    });
  }
  return partitions;
}

function readSector(bytes: Buffer, offset: number): number {
  const value = bytes.readBigUInt64LE(offset);
  if (value >= BigInt(Number.MAX_SAFE_INTEGER))
    throw new PartitionTableError(`names the impossible sector ${value}`);
  return Number(value);
}
