import { InternalError } from "../../format/errors.ts";

const loadSegment = 1;
const noteSegment = 4;
const pageBytes = 4096;
const headerBytes = 56;

/**
 * Takes the whole pages between two file offsets out of a program without moving any address: the segment that holds them
 * becomes two, the second of which takes the table slot of PT_NOTE (the build id, which nothing reads at run time). Section
 * headers, which only debuggers read, are dropped. Changes the buffer given, and returns the part of it that is left.
 */
export function cutFilePages(program: Buffer, from: number, to: number): Buffer {
  const holeStart = Math.ceil(from / pageBytes) * pageBytes;
  const holeEnd = Math.floor(to / pageBytes) * pageBytes;
  const removed = holeEnd - holeStart;
  if (removed <= 0) return program;
  const tableStart = Number(program.readBigUInt64LE(32));
  const count = program.readUInt16LE(56);
  const headers = Array.from({ length: count }, (_, index) =>
    Buffer.from(program.subarray(tableStart + index * headerBytes, tableStart + (index + 1) * headerBytes)),
  );
  const offsetOf = (header: Buffer): number => Number(header.readBigUInt64LE(8));
  const sizeOf = (header: Buffer): number => Number(header.readBigUInt64LE(32));
  const isHolder = (header: Buffer): boolean =>
    header.readUInt32LE(0) === loadSegment &&
    offsetOf(header) <= holeStart &&
    holeEnd < offsetOf(header) + sizeOf(header);
  const holder = headers.findIndex(isHolder);
  const note = headers.findIndex((header) => header.readUInt32LE(0) === noteSegment);
  if (holder === -1 || note === -1) throw new InternalError("the program's segments are not as expected");

  const before = Buffer.from(headers[holder]!);
  const after = Buffer.from(headers[holder]!);
  const kept = holeStart - offsetOf(before);
  const skipped = holeEnd - offsetOf(before);
  for (const field of [32, 40]) {
    before.writeBigUInt64LE(BigInt(kept), field);
    after.writeBigUInt64LE(after.readBigUInt64LE(field) - BigInt(skipped), field);
  }
  for (const field of [8, 16, 24])
    after.writeBigUInt64LE(after.readBigUInt64LE(field) + BigInt(skipped), field);

  const changed = headers.flatMap((header, index) =>
    index === note ? [] : index === holder ? [before, after] : [header],
  );
  for (const header of changed) {
    if (offsetOf(header) >= holeEnd) header.writeBigUInt64LE(BigInt(offsetOf(header) - removed), 8);
  }
  const result = program.copyWithin(holeStart, holeEnd).subarray(0, program.length - removed);
  Buffer.concat(changed).copy(result, tableStart);
  result.writeBigUInt64LE(0n, 40);
  result.writeUInt16LE(0, 60);
  result.writeUInt16LE(0, 62);
  return result;
}
