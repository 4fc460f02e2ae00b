import { once } from "node:events";
import type { Writable } from "node:stream";

/** Until a process takes more input, or has ended; why it ended is for its exit code to say. */
export async function drained(stream: Writable, ended: Promise<unknown>): Promise<void> {
  await Promise.race([once(stream, "drain"), ended]).catch(() => {});
}
