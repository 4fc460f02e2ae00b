import { open } from "node:fs/promises";
import { decodeGrubenv, encodeGrubenv, grubenvBytes } from "../../../format/grubenv.ts";
import { readBounded, syncPath } from "../../system/files.ts";
import { dirname } from "node:path";
import { armedVariable, entryId } from "./grub-entry.ts";

/** One-shot: the next boot takes our entry, and our entry boots the ramdisk. */
export function armGrubenv(path: string): Promise<void> {
  return changeGrubenv(path, (variables) => {
    variables.set("next_entry", entryId);
    variables.set(armedVariable, "1");
  });
}

/** Takes back what `armGrubenv` did and GRUB made of it (an empty next_entry); another's next_entry stays. */
export function disarmGrubenv(path: string): Promise<void> {
  return changeGrubenv(path, (variables) => {
    if (!variables.delete(armedVariable)) return;
    if (["", entryId].includes(variables.get("next_entry") ?? "")) variables.delete("next_entry");
  });
}

export async function isGrubenvArmed(path: string): Promise<boolean> {
  const bytes = await readBounded(path, 64 * 1024);
  const variables = bytes && decodeGrubenv(bytes);
  return variables?.get(armedVariable) === "1" && variables.get("next_entry") === entryId;
}

/**
 * Overwrites the same 1024 bytes and flushes them: GRUB reads and writes the file's blocks without looking at the journal,
 * so a truncated, renamed or grown file could be one file to GRUB and another to Linux after a power cut.
 */
async function changeGrubenv(path: string, change: (variables: Map<string, string>) => void): Promise<void> {
  const before = await readBounded(path, 64 * 1024);
  const variables = before && before.length > 0 ? decodeGrubenv(before) : new Map<string, string>();
  // A damaged block: GRUB ignores it, so nothing is lost by a new one of the same size; any other size is not ours to mend.
  if (!variables && before?.length !== grubenvBytes)
    throw new Error(`${path} is not a GRUB environment block`);
  const known = variables ?? new Map<string, string>();
  change(known);
  const after = encodeGrubenv(known);
  if (before && Buffer.compare(before, after) === 0) return;
  if (!before && known.size === 0) return;
  const file = await open(path, before ? "r+" : "wx", 0o600);
  try {
    await file.write(after, 0, after.length, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  if (!before) await syncPath(dirname(path));
}
