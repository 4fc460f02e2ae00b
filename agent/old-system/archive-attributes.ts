import { StepError } from "../../format/errors.ts";
import { attributesText } from "./attributes-text.ts";

const blockBytes = 512;
/** Of one file's pax records: ext4 and XFS give all attributes of a file together 64 KiB each at most, and a few of them. */
const paxBytesAtMost = 4 * 1024 * 1024;
/** GNU tar escapes these two in the names of attributes. */
const escapes: Record<string, string> = { "%3D": "=", "%25": "%" };

type Records = ReadonlyMap<string, Buffer>;

/**
 * Reads the extended attributes out of a tar archive (pax format, as GNU tar writes it) that is pushed through in pieces. Of a
 * file's content nothing is kept. Bytes that are no text stay what they are: paths are one character a byte.
 */
export class ArchiveAttributes {
  /** Path as in the archive, without `./` in front, to attributesText of what it has; only of those that have any. */
  readonly found = new Map<string, string>();
  #rest = Buffer.alloc(0);
  /** Bytes of content to pass over. */
  #skip = 0;
  /** Bytes of pax records that come next, and what is to be done with them. */
  #pax: { bytes: number; isForNext: boolean } | undefined;
  #records: Records = new Map();
  /** Most files have the same few labels: one string for all of them. */
  readonly #known = new Map<string, string>();

  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const passed = Math.min(this.#skip, bytes.length);
      this.#skip -= passed;
      bytes = bytes.subarray(passed);
      const needed = this.#pax ? padded(this.#pax.bytes) : blockBytes;
      if (this.#skip > 0 || bytes.length < needed) break;
      if (this.#pax) this.#takeRecords(bytes.subarray(0, this.#pax.bytes));
      else this.#takeHeader(bytes.subarray(0, blockBytes));
      bytes = bytes.subarray(needed);
    }
    // A chunk may be overwritten by whoever gave it.
    this.#rest = Buffer.from(bytes);
  }

  #takeRecords(bytes: Buffer): void {
    if (this.#pax?.isForNext) this.#records = parseRecords(bytes);
    this.#pax = undefined;
  }

  #takeHeader(header: Buffer): void {
    // Two blocks of zeros end an archive.
    if (header.every((byte) => byte === 0)) return;
    const type = String.fromCharCode(header[156]!);
    const size = Number(
      this.#records.get("size")?.toString("latin1") ?? readNumber(header.subarray(124, 136)),
    );
    if (!Number.isSafeInteger(size) || size < 0)
      throw new StepError("the old system's archive has an entry of no size");
    if (type === "x" || type === "g") {
      if (size > paxBytesAtMost)
        throw new StepError(`the old system's archive has ${size} bytes of attributes for one file`);
      this.#pax = { bytes: size, isForNext: type === "x" };
      return;
    }
    this.#skip = padded(size);
    const records = this.#records;
    this.#records = new Map();
    this.#takeEntry(type, header, records);
  }

  #takeEntry(type: string, header: Buffer, records: Records): void {
    const text = (name: string): string | undefined => records.get(name)?.toString("latin1");
    const prefix = readText(header.subarray(345, 500));
    const plain = readText(header.subarray(0, 100));
    const path = normal(
      text("GNU.sparse.name") ?? text("path") ?? (prefix === "" ? plain : `${prefix}/${plain}`),
    );
    const attributes = new Map<string, string>();
    for (const [key, value] of records) {
      const [, name] = /^SCHILY\.xattr\.(.+)$/s.exec(key) ?? [];
      if (name !== undefined)
        attributes.set(
          name.replaceAll(/%3D|%25/g, (escape) => escapes[escape]!),
          value.toString("hex"),
        );
    }
    // A hard link's attributes are told once, with its first name.
    const target = type === "1" ? normal(text("linkpath") ?? readText(header.subarray(157, 257))) : undefined;
    const told = target === undefined ? attributesText(attributes) : (this.found.get(target) ?? "");
    if (told === "") return;
    const same = this.#known.get(told) ?? told;
    this.#known.set(same, same);
    this.found.set(path, same);
  }
}

/** `LENGTH KEY=VALUE\n`, one behind the other; a value may be any bytes. */
function parseRecords(bytes: Buffer): Records {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(" ", at);
    const length = Number(bytes.toString("latin1", at, space));
    const end = at + length;
    const equals = bytes.indexOf("=", space);
    if (space < 0 || !Number.isSafeInteger(length) || equals < 0 || equals >= end || end > bytes.length)
      throw new StepError("the old system's archive has attributes that make no sense");
    records.set(
      bytes.toString("latin1", space + 1, equals),
      Buffer.from(bytes.subarray(equals + 1, end - 1)),
    );
    at = end;
  }
  return records;
}

/** Octal, or binary where it would not fit. */
function readNumber(field: Buffer): number {
  if ((field[0]! & 0x80) === 0) return Number.parseInt(readText(field).trim() || "0", 8);
  return Number(field.readBigUInt64BE(field.length - 8));
}

function readText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? field.length : end);
}

function normal(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "") || ".";
}

function padded(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}
