import * as z from "zod";
import type { SystemFile } from "./system-file.ts";

export const installers = ["conversion", "upgrade", "rauc"] as const;

const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

/** `slots/A.json` and `B.json`: what lies in a slot, and since when. Outlives the slot's content. */
export const slotRecordSchema = z.object({
  format: z.literal(1),
  slot: z.enum(["A", "B"]),
  name: z.string().max(200),
  version: z.string().max(200),
  compatible: z.string().max(200),
  counter: z.int().min(0),
  /** The old system, kept by the conversion. */
  oldSystem: z.boolean(),
  installedBy: z.enum(installers),
  /** UTC, ISO 8601. */
  installed: time,
  /** When its health gate first found it healthy; written by the gate. */
  committed: time.optional(),
});

export type SlotRecord = z.infer<typeof slotRecordSchema>;

/** The record of what was just put into a slot. */
export function recordOf(
  system: SystemFile,
  installedBy: SlotRecord["installedBy"],
  installed = utcNow(),
): SlotRecord {
  const { slot, name, version, compatible, counter, oldSystem = false } = system;
  return { format: 1, slot, name, version, compatible, counter, oldSystem, installedBy, installed };
}

/** One key a line: the health gate edits it with sed. */
export function encodeSlotRecord(record: SlotRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** undefined for anything that is no record: status shows less then, nothing is decided by it. */
export function decodeSlotRecord(text: string | undefined): SlotRecord | undefined {
  if (text === undefined) return undefined;
  try {
    return slotRecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** `2026-11-20T13:05:07Z` */
export function utcNow(now = new Date()): string {
  return now.toISOString().replace(/\.\d+Z$/, "Z");
}
