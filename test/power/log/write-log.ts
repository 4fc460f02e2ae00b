import type { FileHandle } from "node:fs/promises";

/** Sectors of the log and of the disk. */
export const sectorBytes = 512;
const magic = 0x6a736677736872n;
const flags = { flush: 1n, fua: 2n, discard: 4n, mark: 8n };
const knownFlags = 0b11111n;
/** A guest that writes more than this in one request, or a log of more entries, is none of ours. */
const mostRequestSectors = 1 << 22;
const mostEntries = 5_000_000;
/** Of an ext4 journal's block: on small filesystems, and on all others. */
const smallBlockSectors = 2;
export const blockSectors = 8;
/** JBD2_MAGIC_NUMBER and JBD2_COMMIT_BLOCK (the kernel's include/linux/jbd2.h), both big-endian. */
const commitStart = Buffer.from("c03b399800000002", "hex");

/** What the disk was asked to do, in the order in which it was asked. */
export interface LogEntry {
  kind: "write" | "discard" | "flush";
  /** First sector on the disk and how many; 0 for a flush. */
  sector: number;
  sectors: number;
  /** Durable by itself when it is answered. */
  isForced: boolean;
  /** Where its data lies in the log file; writes only. */
  dataOffset: number;
  /** Sectors from the entry's first at which a commit block of an ext4 journal begins; absent: none. */
  commits?: number[];
}

/** Any reader of bytes by position; a file handle is one. */
export type LogSource = Pick<FileHandle, "read">;

/**
 * Entries of a log in the kernel's dm-log-writes format, as QEMU's blklogwrites writes it (log-sector-size 512): a sector with the
 * superblock, then for each entry a sector with its header, followed by its data. QEMU counts entries in the superblock
 * at flushes only, so the end of the file decides; a last entry that is cut off is left out.
 */
export async function readWriteLog(
  source: LogSource,
  logBytes: number,
  diskBytes: number,
): Promise<LogEntry[]> {
  const header = Buffer.alloc(32);
  await readExactly(source, header, 0);
  const version = header.readBigUInt64LE(8);
  const counted = header.readBigUInt64LE(16);
  if (header.readBigUInt64LE(0) !== magic || version !== 1n || header.readUInt32LE(24) !== sectorBytes)
    throw new Error("this is no log of writes, version 1 with sectors of 512 bytes");
  const diskSectors = BigInt(diskBytes / sectorBytes);
  const entries: LogEntry[] = [];
  let marks = 0;
  let offset = sectorBytes;
  for (; offset + sectorBytes <= logBytes && entries.length < mostEntries;) {
    await readExactly(source, header, offset);
    const [sector, sectors, word, dataLength] = [0, 8, 16, 24].map((at) => header.readBigUInt64LE(at));
    if (word === undefined || sector === undefined || sectors === undefined) break;
    const isFlush = (word & flags.flush) !== 0n && sectors === 0n;
    if (word > knownFlags || sector + sectors > diskSectors || sectors > BigInt(mostRequestSectors))
      throw new Error(`entry ${entries.length} of the log, at byte ${offset}, does not make sense`);
    const isDiscard = (word & flags.discard) !== 0n;
    const isMark = (word & flags.mark) !== 0n;
    offset += sectorBytes;
    const dataOffset = offset;
    if (isMark) {
      marks += 1;
      offset += Math.ceil(Number(dataLength) / sectorBytes) * sectorBytes;
      continue;
    }
    if (!isDiscard) offset += Number(sectors) * sectorBytes;
    if (offset > logBytes) return entries;
    const kind = isFlush ? "flush" : isDiscard ? "discard" : "write";
    const commits = kind === "write" ? await findCommits(source, dataOffset, Number(sectors)) : [];
    entries.push({
      kind,
      sector: Number(sector),
      sectors: Number(sectors),
      isForced: (word & flags.fua) !== 0n,
      dataOffset,
      ...(commits.length > 0 ? { commits } : {}),
    });
  }
  const found = entries.length + marks;
  if (BigInt(found) < counted) throw new Error(`the log says it has ${counted} entries, it has ${found}`);
  return entries;
}

async function findCommits(source: LogSource, dataOffset: number, sectors: number): Promise<number[]> {
  const commits: number[] = [];
  const start = Buffer.alloc(commitStart.length);
  for (let sector = 0; sector + smallBlockSectors <= sectors; sector += smallBlockSectors) {
    await readExactly(source, start, dataOffset + sector * sectorBytes);
    if (start.equals(commitStart)) commits.push(sector);
  }
  return commits;
}

async function readExactly(source: LogSource, target: Buffer, position: number): Promise<void> {
  const { bytesRead } = await source.read(target, 0, target.length, position);
  if (bytesRead !== target.length) throw new Error(`the log ends at byte ${position + bytesRead}`);
}
