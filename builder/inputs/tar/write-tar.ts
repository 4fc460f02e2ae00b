import { posix } from "node:path";
import { formatPaxRecords, type PaxRecord } from "./pax-records.ts";
import type { TarHeader, TarType } from "./tar-header.ts";

const blockBytes = 512;
const zeros = Buffer.alloc(blockBytes);
const letters: Record<TarType, string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  folder: "5",
  fifo: "6",
};

/** Header blocks of one entry as GNU tar writes pax: numbers and names only, nothing of who packs. Content and its padding follow. `extendedAt`: time of the pax header itself, seconds. */
export function tarHeaderBlocks(header: TarHeader, extendedAt: number): Buffer {
  const records: PaxRecord[] = [];
  const map = header.runs ? sparseMapBlocks(header.runs, header.sizeBytes) : Buffer.alloc(0);
  const size = header.type === "file" ? map.length + header.storedBytes : 0;
  const isSparse = header.runs !== undefined;
  let name = header.path;
  if (isSparse) {
    records.push(
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.name", header.path],
      ["GNU.sparse.realsize", String(header.sizeBytes)],
    );
    // Not joined: GNU tar keeps a leading `./`.
    name = `${posix.dirname(header.path)}/GNUSparseFile.1/${posix.basename(header.path)}`;
  } else if (name.length > 100) records.push(["path", name]);
  if (header.linkTarget.length > 100) records.push(["linkpath", header.linkTarget]);
  if (size > largest(12)) records.push(["size", String(size)]);
  if (header.uid > largest(8)) records.push(["uid", String(header.uid)]);
  if (header.gid > largest(8)) records.push(["gid", String(header.gid)]);
  for (const [key, value] of [...header.xattrs].sort(([a], [b]) => (a < b ? -1 : 1)))
    records.push([`SCHILY.xattr.${key}`, value]);
  const extended = formatPaxRecords(records);
  return Buffer.concat([
    ...(records.length === 0
      ? []
      : [
          block({
            ...header,
            path: `${posix.dirname(header.path)}/PaxHeaders/${posix.basename(header.path)}`,
            linkTarget: "",
            letter: "x",
            size: extended.length,
            mode: 0o644,
            uid: 0,
            gid: 0,
            modifiedAt: extendedAt,
          }),
          padded(extended),
        ]),
    block({ ...header, path: name, letter: letters[header.type], size }),
    map,
  ]);
}

export function paddingOf(bytes: number): Buffer {
  return zeros.subarray(0, (blockBytes - (bytes % blockBytes)) % blockBytes);
}

/** GNU tar's records of 10 KiB: two zero blocks, then zeros to the next multiple. */
export function endOfTar(bytesBefore: number): Buffer {
  const record = 20 * blockBytes;
  return Buffer.alloc(Math.ceil((bytesBefore + 2 * blockBytes) / record) * record - bytesBefore);
}

/** An empty run at the end stands for a hole there: GNU tar makes a file no longer than its runs. */
function sparseMapBlocks(given: NonNullable<TarHeader["runs"]>, sizeBytes: number): Buffer {
  const last = given.at(-1);
  const endsInHole = (last ? last.offset + last.bytes : 0) < sizeBytes;
  const runs = endsInHole ? [...given, { offset: sizeBytes, bytes: 0 }] : given;
  const lines = [runs.length, ...runs.flatMap((run) => [run.offset, run.bytes])];
  return padded(Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1"));
}

interface Block extends Pick<
  TarHeader,
  "path" | "linkTarget" | "mode" | "uid" | "gid" | "modifiedAt" | "major" | "minor"
> {
  letter: string;
  size: number;
}

/** What does not fit is in a pax record, and zero here. */
function block(fields: Block): Buffer {
  // Out of the pool: memory of its own for each of so many blocks is freed late.
  const bytes = Buffer.allocUnsafe(blockBytes).fill(0);
  bytes.write(fields.path.slice(0, 100), 0, "latin1");
  const octal = (value: number, at: number, length: number) =>
    bytes.write(
      `${(value > largest(length) ? 0 : value).toString(8).padStart(length - 1, "0")}\0`,
      at,
      "latin1",
    );
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.size, 124, 12);
  octal(fields.modifiedAt, 136, 12);
  bytes.write(fields.letter, 156, "latin1");
  bytes.write(fields.linkTarget.slice(0, 100), 157, "latin1");
  bytes.write("ustar\u000000", 257, "latin1");
  if (fields.letter !== "x") {
    octal(fields.major, 329, 8);
    octal(fields.minor, 337, 8);
  }
  bytes.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** An octal field ends with NUL. */
function largest(fieldBytes: number): number {
  return 8 ** (fieldBytes - 1) - 1;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, paddingOf(bytes.length)]);
}
