import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "../system/run.ts";

/** What no device asks for by itself. crc32c is wanted by name from ext4 and xfs. */
const always = ["crc32c_generic", "dm_mod"];
/** A bus shows its devices only once its own driver is there: PCI, then SCSI host, then disk. */
const roundsAtMost = 8;
const settleMs = 150;

/** Loads drivers for every device the kernel shows, round after round until no new one appears. Missing ones are no failure. */
export async function loadModules(run: Run): Promise<void> {
  const seen = new Set<string>();
  for (let round = 0; round < roundsAtMost; round += 1) {
    const fresh = readModaliases().filter((alias) => !seen.has(alias));
    if (fresh.length === 0) break;
    for (const alias of fresh) seen.add(alias);
    await modprobe(run, [...(round === 0 ? always : []), ...fresh.sort()]);
    await sleep(settleMs);
  }
}

/** Before a mount, by the names the kernel itself would ask for; a big one like XFS takes seconds on a slow processor. */
export async function loadFilesystems(run: Run, types: readonly string[]): Promise<void> {
  await modprobe(
    run,
    types.map((type) => `fs-${type}`),
  );
}

async function modprobe(run: Run, names: readonly string[]): Promise<void> {
  // 1: one of them has no module, which is so for most devices.
  await run("modprobe", ["-a", "-q", ...names], { acceptExitCodes: [1, 2], timeoutSeconds: 120 });
}

/** What every device on every bus asks for. Much quicker than to walk all of /sys/devices, and synchronous for the same reason. */
function readModaliases(): string[] {
  const aliases = new Set<string>();
  for (const bus of list("/sys/bus")) {
    for (const device of list(`/sys/bus/${bus}/devices`)) {
      const alias = textOf(`/sys/bus/${bus}/devices/${device}/modalias`);
      if (alias) aliases.add(alias);
    }
  }
  return [...aliases];
}

/** Devices come and go meanwhile, and most have no such file. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
