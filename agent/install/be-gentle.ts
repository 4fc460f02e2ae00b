import { readdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import type { Run } from "../system/run.ts";

/** For every thread of this process, and so for all that it starts. Returns what was set, in a sentence. */
export async function beGentle(run: Run): Promise<string> {
  const threads = await readdir("/proc/self/task");
  for (const thread of threads) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  const processor = "processor priority 19, the lowest";
  try {
    await run("ionice", ["-c", "3", "-p", ...threads]);
    return `Gentle: ${processor}; disk access only when nobody else wants any (idle class).`;
  } catch {
    return `Gentle: ${processor}; disk access as usual, for this system has no ionice.`;
  }
}
