import type { ByteReader } from "../../rootfs/byte-reader.ts";
import { notTar } from "./not-tar.ts";
import type { PaxRecord } from "./pax-records.ts";
import type { SparseRun } from "./tar-header.ts";

const blockBytes = 512;
const mostRuns = 1_000_000;

export interface SparseMap {
  runs: SparseRun[];
  sizeBytes: number;
  /** Bytes of the map itself in front of the content. */
  mapBytes: number;
}

/** GNU's three pax formats: repeated records (0.0), one record (0.1), text in front of the content (1.0). undefined: not sparse. */
export async function paxSparseMap(
  records: readonly PaxRecord[],
  reader: ByteReader,
): Promise<SparseMap | undefined> {
  const value = (key: string) => records.findLast(([name]) => name === `GNU.sparse.${key}`)?.[1];
  const size = value("realsize") ?? value("size");
  if (size === undefined) return undefined;
  const sizeBytes = numberOf(size);
  if (value("major") === "1") return { ...(await textMap(reader)), sizeBytes };
  const map = value("map");
  const numbers =
    map === undefined
      ? records.filter(([name]) => /^GNU\.sparse\.(?:offset|numbytes)$/.test(name)).map(([, text]) => text)
      : map.split(",").filter(Boolean);
  return { runs: runsOf(numbers.map(numberOf)), sizeBytes, mapBytes: 0 };
}

/** Lines of decimal numbers: how many runs, then offset and length of each; padded to whole blocks. */
async function textMap(reader: ByteReader): Promise<{ runs: SparseRun[]; mapBytes: number }> {
  const numbers: number[] = [];
  let waiting = "";
  for (let blocks = 1; ; blocks++) {
    const block = await reader.read(blockBytes);
    if (block.length < blockBytes) throw notTar("it ends inside the map of a sparse file");
    const lines = (waiting + block.toString("latin1")).split("\n");
    waiting = lines.pop()!;
    for (const line of lines) {
      numbers.push(numberOf(line));
      if (numbers[0]! > mostRuns) throw notTar("a sparse file has too many runs");
      if (numbers.length === 1 + 2 * numbers[0]!)
        return { runs: runsOf(numbers.slice(1)), mapBytes: blocks * blockBytes };
    }
    if (waiting.length > 24) throw notTar("the map of a sparse file is malformed");
  }
}

/** The old GNU format: four runs in the header, 21 in each further block. */
export async function oldGnuSparseMap(header: Buffer, reader: ByteReader): Promise<SparseMap> {
  const numbers: number[] = [];
  const take = (block: Buffer, at: number, count: number) => {
    for (let index = 0; index < 2 * count; index++) {
      const field = block.subarray(at + 12 * index, at + 12 * (index + 1));
      if (field[0] === 0) break;
      numbers.push(octalField(field));
    }
  };
  take(header, 386, 4);
  for (let more = header[482] === 1; more;) {
    const block = await reader.read(blockBytes);
    if (block.length < blockBytes) throw notTar("it ends inside the map of a sparse file");
    take(block, 0, 21);
    more = block[504] === 1;
  }
  return { runs: runsOf(numbers), sizeBytes: octalField(header.subarray(483, 495)), mapBytes: 0 };
}

function octalField(field: Buffer): number {
  if (field[0]! & 0x80) return Number(BigInt.asUintN(62, field.readBigUInt64BE(field.length - 8)));
  const text = field.toString("latin1").split("\0")[0]!.trim();
  if (!/^[0-7]*$/.test(text)) throw notTar("the map of a sparse file is malformed");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function numberOf(text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw notTar("the map of a sparse file is malformed");
  return number;
}

/** In order and apart from each other; empty runs, which only mark the end, are dropped. */
function runsOf(numbers: readonly number[]): SparseRun[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * mostRuns)
    throw notTar("the map of a sparse file is malformed");
  const runs: SparseRun[] = [];
  let end = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, bytes] = [numbers[index]!, numbers[index + 1]!];
    if (offset < end) throw notTar("the runs of a sparse file overlap");
    end = offset + bytes;
    if (bytes > 0) runs.push({ offset, bytes });
  }
  return runs;
}
