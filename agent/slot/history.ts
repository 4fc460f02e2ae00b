import { mkdir, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { readBounded, writeFileDurably } from "../system/files.ts";
import { utcNow } from "./slot-record.ts";

/** Words of docs/upgrades.md; the rest of them are written by the scripts in the slots. */
export type HistoryWord =
  | "converted"
  | "upgrade-started"
  | "upgrade-failed"
  | "upgrade-finished"
  | "activated"
  | "grubenv-repaired";

export interface HistoryEvent {
  event: HistoryWord;
  /** The slot that runs while this happens. */
  slot: string;
  /** The release that runs while this happens. */
  version: string;
  /** A sentence for people. */
  message: string;
}

const fullBytes = 256 * 1024;
const keptLines = 500;
/** A history that grew beyond all measure by another hand is begun anew. */
const readAtMostBytes = 4 * 1024 * 1024;

/** Appends one line in the form of `record_event` in slots.sh, which reads it too. Never stops the work: a full disk must not. */
export async function recordEvent(stateFolder: string, event: HistoryEvent): Promise<void> {
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o755 });
    const path = join(stateFolder, "history.jsonl");
    await shorten(path);
    const file = await open(path, "a", 0o644);
    try {
      await file.writeFile(historyLine(event));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch {
    // What happened is in the log as well.
  }
}

/** Keys in the order that the shell reads them by; control characters never reach the file. */
export function historyLine({ event, slot, version, message }: HistoryEvent, now = utcNow()): string {
  const plain = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").slice(0, 2000);
  const value = { time: now, event, slot: plain(slot), version: plain(version), message: plain(message) };
  return `${JSON.stringify(value)}\n`;
}

async function shorten(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= fullBytes) return;
  const text = await readBounded(path, readAtMostBytes).then(
    (bytes) => bytes?.toString("utf8") ?? "",
    () => "",
  );
  const lines = text.split("\n").filter((line) => line !== "");
  await writeFileDurably(
    path,
    lines
      .slice(-keptLines)
      .map((line) => `${line}\n`)
      .join(""),
  );
}
