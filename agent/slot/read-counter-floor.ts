import { join } from "node:path";
import { readBounded } from "../system/files.ts";
import { readSlotRecord } from "./write-slot-record.ts";

const counterMaxBytes = 32;

/**
 * The highest counter that was ever committed here, undefined where nothing was. The gate's file says it; the records of slots
 * that were committed say it too, so that a file that was lost or damaged does not open the way back.
 */
export async function readCounterFloor(stateFolder: string): Promise<number | undefined> {
  const records = await Promise.all(
    (["A", "B"] as const).map((slot) => readSlotRecord(stateFolder, slot).catch(() => undefined)),
  );
  const committed = records.flatMap((record) => (record?.committed ? [record.counter] : []));
  const text = await readBounded(join(stateFolder, "counter"), counterMaxBytes).catch(() => undefined);
  const counters = [...committed, ...parseCounter(text?.toString("latin1") ?? "")];
  return counters.length > 0 ? Math.max(...counters) : undefined;
}

/** Decimal and a newline, as raise-counter writes it; none for anything else. */
function parseCounter(text: string): number[] {
  const value = /^\d{1,16}\n?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? [value] : [];
}
