import { userError } from "../../format/errors.ts";
import { MiB } from "../../format/sizes.ts";
import type { ByteReader } from "./byte-reader.ts";

export interface TarHeader {
  /** As archived, bytes as latin1. */
  path: string;
  linkTarget: string;
  type: "file" | "hardlink" | "symlink" | "folder" | "other";
  /** It has ACLs in tar's own words, not only as xattrs. */
  acls: boolean;
}

interface Extended {
  path?: string;
  link?: string;
  size?: number;
  acls?: boolean;
}

const blockBytes = 512;
const longestName = MiB;

/** Headers of a ustar, GNU or pax archive, contents skipped. Only what a safety check needs; GNU tar does the extracting. */
export async function* readTarHeaders(reader: ByteReader): AsyncGenerator<TarHeader> {
  let long: Extended = {};
  for (;;) {
    const at = reader.offset;
    const block = await reader.read(blockBytes);
    if (block.every((byte) => byte === 0)) return;
    if (block.length < blockBytes || !checksumMatches(block))
      throw notTar(`there is no tar header at byte ${at}`);
    const size = long.size ?? numberAt(block, 124, 12);
    const padded = Math.ceil(size / blockBytes) * blockBytes;
    const type = String.fromCharCode(block[156]!);
    if (type === "L" || type === "K" || type === "x" || type === "g") {
      if (size > longestName) throw notTar(`the extended header at byte ${at} has ${size} bytes`);
      const data = (await reader.read(padded)).subarray(0, size);
      if (type === "L") long.path = textOf(data);
      else if (type === "K") long.link = textOf(data);
      else if (type === "x") long = { ...long, ...paxRecords(data) };
      continue;
    }
    // Old GNU sparse files carry their map in further header blocks.
    if (type === "S" && block[482] === 1) while ((await reader.read(blockBytes))[504] === 1);
    const prefix = block.toString("latin1", 257, 263) === "ustar\0" ? textOf(block.subarray(345, 500)) : "";
    const name = textOf(block.subarray(0, 100));
    yield {
      path: long.path ?? (prefix === "" ? name : `${prefix}/${name}`),
      linkTarget: long.link ?? textOf(block.subarray(157, 257)),
      type: typeOf(type, name),
      acls: long.acls ?? false,
    };
    long = {};
    const hasData = !["1", "2", "3", "4", "5", "6"].includes(type);
    if (hasData && !(await reader.skip(padded))) throw notTar(`it ends inside the file at byte ${at}`);
  }
}

function typeOf(letter: string, name: string): TarHeader["type"] {
  if (letter === "1") return "hardlink";
  if (letter === "2") return "symlink";
  if (letter === "5" || ((letter === "0" || letter === "\0") && name.endsWith("/"))) return "folder";
  return ["0", "\0", "7", "S"].includes(letter) ? "file" : "other";
}

function paxRecords(data: Buffer): Extended {
  const found: Extended = {};
  let sparseName: string | undefined;
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString("latin1", at, space));
    if (space === -1 || !Number.isInteger(length) || length < 5 || at + length > data.length)
      throw notTar("a pax header is malformed");
    const record = data.toString("latin1", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === "path") found.path = value;
    if (key === "linkpath") found.link = value;
    if (key?.startsWith("SCHILY.acl.")) found.acls = true;
    if (key === "size") found.size = Number(value);
    if (key === "GNU.sparse.name") sparseName = value;
    at += length;
  }
  if (found.size !== undefined && !(Number.isSafeInteger(found.size) && found.size >= 0))
    throw notTar("a pax header gives a size that is no number");
  return sparseName === undefined ? found : { ...found, path: sparseName };
}

/** Octal, or GNU's base 256 for sizes of 8 GiB and more. */
function numberAt(block: Buffer, offset: number, length: number): number {
  if (block[offset]! & 0x80) return Number(BigInt.asUintN(64, block.readBigUInt64BE(offset + length - 8)));
  const text = textOf(block.subarray(offset, offset + length)).trim();
  if (!/^[0-7]*$/.test(text)) throw notTar("a header field is not a number");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function checksumMatches(block: Buffer): boolean {
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum === numberAt(block, 148, 8);
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}

function notTar(reason: string): Error {
  return userError({
    code: "rootfs-not-tar",
    message: `the root filesystem archive is damaged or not a tar: ${reason}`,
    hint: "Check it with `tar -tf`, and make it again.",
  });
}
