import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { SlotName } from "../../format/grubenv.ts";
import { readTextIfExists, writeFileDurably } from "../system/files.ts";
import { decodeSlotRecord, encodeSlotRecord, type SlotRecord } from "./slot-record.ts";

/** `stateFolder`: /data/dualroot, wherever that is mounted now. */
export async function writeSlotRecord(stateFolder: string, record: SlotRecord): Promise<void> {
  await mkdir(join(stateFolder, "slots"), { recursive: true, mode: 0o755 });
  await writeFileDurably(slotRecordPath(stateFolder, record.slot), encodeSlotRecord(record));
}

export async function readSlotRecord(stateFolder: string, slot: SlotName): Promise<SlotRecord | undefined> {
  return decodeSlotRecord(await readTextIfExists(slotRecordPath(stateFolder, slot)));
}

export function slotRecordPath(stateFolder: string, slot: SlotName): string {
  return join(stateFolder, "slots", `${slot}.json`);
}
