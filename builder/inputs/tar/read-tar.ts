import { MiB } from "../../../format/sizes.ts";
import type { ByteReader } from "../../rootfs/byte-reader.ts";
import { notTar } from "./not-tar.ts";
import { parsePaxRecords, type PaxRecord } from "./pax-records.ts";
import { oldGnuSparseMap, paxSparseMap } from "./sparse-map.ts";
import type { TarEntry, TarHeader, TarType } from "./tar-header.ts";

/** To root, XFS shows each ACL a second time, in the form it has on the disk. */
const xfsAcls = ["trusted.SGI_ACL_FILE", "trusted.SGI_ACL_DEFAULT"];

const blockBytes = 512;
const longestName = MiB;
const mostRemembered = 10_000;

const types: Record<string, TarType> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "folder",
  D: "folder",
  "6": "fifo",
};

/**
 * Entries of a ustar, GNU or pax archive, byte for byte: tar-stream reads attributes and names as UTF-8 and knows no sparse
 * files, and GNU tar can only give an archive's content by extracting it, which needs root. `mayLackEnd`: something else,
 * a digest, says that it is whole.
 */
export async function* readTar(
  reader: ByteReader,
  options: { mayLackEnd: boolean },
): AsyncGenerator<TarEntry> {
  const remembered = new Map<string, Attributes>();
  let long: { path?: string; link?: string } = {};
  let [records, globals]: PaxRecord[][] = [[], []];
  for (;;) {
    const at = reader.offset;
    const block = await reader.read(blockBytes);
    if (block.length === 0 && !options.mayLackEnd)
      throw notTar(`it ends at byte ${at} without the mark of its end, so it was cut off`);
    if (block.every((byte) => byte === 0)) return;
    if (block.length < blockBytes || !checksumMatches(block))
      throw notTar(`there is no tar header at byte ${at}`);
    const letter = String.fromCharCode(block[156]!);
    if ("LKxg".includes(letter)) {
      const size = numberAt(block, 124, 12);
      if (size > longestName) throw notTar(`the extended header at byte ${at} has ${size} bytes`);
      const data = (await reader.read(paddedSize(size))).subarray(0, size);
      if (data.length < size) throw notTar(`it ends inside the extended header at byte ${at}`);
      if (letter === "L") long.path = textOf(data);
      else if (letter === "K") long.link = textOf(data);
      else if (letter === "x") records = parsePaxRecords(data);
      else globals = [...globals!, ...parsePaxRecords(data)];
      continue;
    }
    const all = [...globals!, ...records!];
    const { header, stored } = plainHeader(block, all, long, at, remembered);
    [long, records] = [{}, []];
    // A label of a tape, not an entry.
    if (letter === "V") continue;
    const sparse = letter === "S" ? await oldGnuSparseMap(block, reader) : await paxSparseMap(all, reader);
    const contentBytes = stored - (sparse?.mapBytes ?? 0);
    const sparseBytes = sparse?.runs.reduce((sum, run) => sum + run.bytes, 0) ?? contentBytes;
    const last = sparse?.runs.at(-1);
    if (sparseBytes !== contentBytes || (last && last.offset + last.bytes > sparse!.sizeBytes))
      throw notTar(`the sparse file at byte ${at} has other bytes than its map says`);
    const end = reader.offset + paddedSize(contentBytes);
    yield {
      header: {
        ...header,
        sizeBytes: sparse?.sizeBytes ?? contentBytes,
        storedBytes: contentBytes,
        ...(sparse ? { runs: sparse.runs } : {}),
      },
      content: wholeContent(reader, contentBytes, at),
    };
    if (!(await reader.skip(end - reader.offset))) throw notTar(`it ends inside the file at byte ${at}`);
  }
}

async function* wholeContent(reader: ByteReader, bytes: number, at: number): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of reader.chunks(bytes)) {
    done += chunk.length;
    yield chunk;
  }
  if (done < bytes) throw notTar(`it ends inside the file at byte ${at}`);
}

function plainHeader(
  block: Buffer,
  records: readonly PaxRecord[],
  long: { path?: string; link?: string },
  at: number,
  remembered: Map<string, Attributes>,
): { header: Omit<TarHeader, "sizeBytes" | "storedBytes">; stored: number } {
  const pax = new Map(records);
  const isUstar = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? textOf(block.subarray(345, 500)) : "";
  const name = textOf(block.subarray(0, 100));
  const path =
    pax.get("GNU.sparse.name") ??
    pax.get("path") ??
    long.path ??
    (prefix === "" ? name : `${prefix}/${name}`);
  const letter = String.fromCharCode(block[156]!);
  const known = letter === "V" ? "file" : types[letter];
  if (known === undefined)
    throw notTar(`the entry at byte ${at} has the unknown type ${JSON.stringify(letter)}`);
  // Before there was a type for folders.
  const type = known === "file" && letter !== "S" && path.endsWith("/") ? "folder" : known;
  const hasContent = type === "file" || letter === "D";
  // Whole seconds only: as one number, .9999999 of a second would be rounded to the next.
  const seconds = Number.parseInt(pax.get("mtime") ?? "", 10) || numberAt(block, 136, 12, "signed");
  return {
    header: {
      path,
      linkTarget: pax.get("linkpath") ?? long.link ?? textOf(block.subarray(157, 257)),
      type,
      mode: numberAt(block, 100, 8) & 0o7777,
      uid: paxNumber(pax, "uid") ?? numberAt(block, 108, 8),
      gid: paxNumber(pax, "gid") ?? numberAt(block, 116, 8),
      modifiedAt: Math.max(0, seconds),
      major: type.endsWith("device") ? numberAt(block, 329, 8) : 0,
      minor: type.endsWith("device") ? numberAt(block, 337, 8) : 0,
      ...sharedAttributes(attributesOf(pax), remembered),
    },
    stored: hasContent ? (paxNumber(pax, "size") ?? numberAt(block, 124, 12)) : 0,
  };
}

type Attributes = Pick<TarHeader, "xattrs" | "acls">;

const noAttributes: Attributes = { xattrs: new Map(), acls: {} };

/** Most entries have none, or one of a few labels: what is equal is one, so that a large tree fits the memory. */
function sharedAttributes(attributes: Attributes, remembered: Map<string, Attributes>): Attributes {
  const { xattrs, acls } = attributes;
  if (xattrs.size === 0 && acls.access === undefined && acls.default === undefined) return noAttributes;
  const key = JSON.stringify([...xattrs, acls.access, acls.default]);
  const known = remembered.get(key);
  if (known) return known;
  // Signatures of files are all different; and the names may be parts of far longer texts.
  if (remembered.size < mostRemembered) remembered.set(key, attributes);
  return attributes;
}

/** xattrs as star and GNU tar write them, else as libarchive does; SELinux labels also in GNU tar's own record. */
function attributesOf(pax: ReadonlyMap<string, string>): Attributes {
  const xattrs = new Map<string, string>();
  const acls: { access?: string; default?: string } = {};
  for (const [key, value] of pax) {
    if (key.startsWith("SCHILY.xattr.")) xattrs.set(key.slice("SCHILY.xattr.".length), value);
    else if (key === "SCHILY.acl.access") acls.access = value;
    else if (key === "SCHILY.acl.default") acls.default = value;
  }
  for (const [key, value] of pax) {
    const name = /^LIBARCHIVE\.xattr\.(.+)$/.exec(key)?.[1];
    if (name !== undefined && !xattrs.has(name))
      xattrs.set(name, Buffer.from(value, "base64").toString("latin1"));
  }
  const label = pax.get("RHT.security.selinux");
  if (label !== undefined && !xattrs.has("security.selinux")) xattrs.set("security.selinux", `${label}\0`);
  for (const name of xfsAcls) xattrs.delete(name);
  return { xattrs, acls };
}

function paxNumber(pax: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = pax.get(key);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw notTar(`a pax header gives a ${key} that is no number`);
  return Number(text);
}

/** Octal, or GNU's base 256 for what does not fit. */
function numberAt(block: Buffer, offset: number, length: number, sign?: "signed"): number {
  if (block[offset]! & 0x80) {
    const value = block.readBigInt64BE(offset + length - 8);
    // The first byte of a short field carries the mark in its highest bit.
    const number = Number(length === 8 ? BigInt.asIntN(63, value) : value);
    if (!Number.isSafeInteger(number) || (number < 0 && !sign))
      throw notTar("a header field is not a number");
    return number;
  }
  const text = textOf(block.subarray(offset, offset + length)).trim();
  if (!/^[0-7]*$/.test(text)) throw notTar("a header field is not a number");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

/** Some old programs summed signed bytes; their names beyond ASCII are not worth the doubt. */
function checksumMatches(block: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let index = 0; index < blockBytes; index++) if (index < 148 || index >= 156) sum += block[index]!;
  return sum === numberAt(block, 148, 8);
}

function paddedSize(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}
