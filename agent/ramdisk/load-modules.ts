import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "../system/run.ts";

/** What no device asks for by itself. crc32c is wanted by name from ext4 and xfs. */
const always = ["crc32c_generic", "dm_mod", "ext4", "xfs"];
/** A bus shows its devices only once its own driver is there: PCI, then SCSI host, then disk. */
const roundsAtMost = 8;
const settleMs = 150;

/** Loads drivers for every device the kernel shows, round after round until no new one appears. Missing ones are no failure. */
export async function loadModules(run: Run): Promise<void> {
  await modprobe(run, always);
  const seen = new Set<string>();
  for (let round = 0; round < roundsAtMost; round += 1) {
    const fresh = [...(await readModaliases("/sys/devices"))].filter((alias) => !seen.has(alias));
    if (fresh.length === 0) break;
    for (const alias of fresh) seen.add(alias);
    await modprobe(run, fresh.sort());
    await sleep(settleMs);
  }
}

async function modprobe(run: Run, names: readonly string[]): Promise<void> {
  // 1: one of them has no module, which is so for most devices.
  await run("modprobe", ["-a", "-q", ...names], { acceptExitCodes: [1, 2], timeoutSeconds: 120 });
}

/** Every `modalias` file below a sysfs folder; links are not followed, so each device is met once. */
async function readModaliases(folder: string): Promise<Set<string>> {
  const aliases = new Set<string>();
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory()) waiting.push(join(next, entry.name));
      else if (entry.name === "modalias") {
        const alias = (await readFile(join(next, entry.name), "utf8").catch(() => "")).trim();
        if (alias !== "") aliases.add(alias);
      }
    }
  }
  return aliases;
}
