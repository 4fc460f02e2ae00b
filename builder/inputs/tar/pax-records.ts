import { notTar } from "./not-tar.ts";

/** One record of a pax header, bytes as latin1. Keys may repeat (GNU's sparse maps). */
export type PaxRecord = [key: string, value: string];

export function parsePaxRecords(data: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const digits = data.toString("latin1", at, Math.max(at, space));
    const length = /^\d{1,8}$/.test(digits) ? Number(digits) : 0;
    if (length < digits.length + 3 || at + length > data.length || data[at + length - 1] !== 0x0a)
      throw notTar("a pax header is malformed");
    const record = data.toString("latin1", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals < 1) throw notTar("a pax header is malformed");
    records.push([record.slice(0, equals), record.slice(equals + 1)]);
    at += length;
  }
  return records;
}

/** The length at the head of each record counts its own digits. */
export function formatPaxRecords(records: readonly PaxRecord[]): Buffer {
  const texts = records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + String(rest.length).length;
    if (String(length).length > String(rest.length).length) length = rest.length + String(length).length;
    return `${length}${rest}`;
  });
  return Buffer.from(texts.join(""), "latin1");
}
