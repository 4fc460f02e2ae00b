import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "./run.ts";

const patienceMs = 30_000;

/** Restarts the machine through its firmware. Comes back only when the machine will not. */
export async function restart(run: Run): Promise<void> {
  // A disk that answers no more would keep us here for ever.
  await Promise.race([run("sync", []), sleep(patienceMs)]).catch(() => {});
  await run("reboot", ["-f"]).catch(() => {});
  await sleep(patienceMs / 2);
  await writeFile("/proc/sysrq-trigger", "b").catch(() => {});
  await sleep(patienceMs / 2);
}
