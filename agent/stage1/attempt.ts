import { hasErrorCode } from "../../format/errors.ts";
import * as z from "zod";
import { mkdir, unlink } from "node:fs/promises";
import { readTextIfExists, writeFileDurably } from "../system/files.ts";
import type { Places } from "./places.ts";

/** attempt.json: what convert last did on this gateway. Only for status and cancel; stage 2 does not read it. */
const attemptSchema = z.object({
  format: z.literal(1),
  release: z.string(),
  bootMethod: z.enum(["kexec", "grub"]),
  /** Kernel's random id of the boot in which it was prepared: a loaded kexec kernel is gone in any other. */
  bootId: z.string(),
  /** Where the package was put. */
  stash: z.enum(["disk", "ram"]).optional(),
  /** The ramdisk was to stop before its first write. */
  rehearse: z.boolean(),
  /** `armed`: the next reboot was to start the ramdisk. */
  state: z.enum(["preparing", "armed"]),
});

export type Attempt = z.infer<typeof attemptSchema>;

export async function readAttempt(places: Places): Promise<Attempt | undefined> {
  const text = await readTextIfExists(places.attempt);
  if (text === undefined) return undefined;
  try {
    return attemptSchema.parse(JSON.parse(text));
  } catch {
    // Torn by a power cut: the rest of status and cancel looks at what is really there.
    return undefined;
  }
}

export async function writeAttempt(places: Places, attempt: Attempt): Promise<void> {
  await mkdir(places.base, { recursive: true, mode: 0o700 });
  await writeFileDurably(places.attempt, `${JSON.stringify(attempt, undefined, 2)}\n`, 0o600);
}

export async function forgetAttempt(places: Places): Promise<void> {
  await unlink(places.attempt).catch((error: unknown) => {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  });
}

/** Changes with every boot; see random(4). */
export async function readBootId(): Promise<string> {
  return ((await readTextIfExists("/proc/sys/kernel/random/boot_id")) ?? "unknown").trim();
}
