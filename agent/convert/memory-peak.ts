import { readFileSync } from "node:fs";
import { parseMemory } from "../facts/parse-proc.ts";

const intervalMs = 250;
const mebibyte = 1024 * 1024;

export interface MemoryPeak {
  /** `takenBy`: the kernel's own words for what the peak consisted of, MiB (proc_meminfo(5)). */
  read: () => { peakMiB: number; totalMiB: number; takenBy: Record<string, number> };
  stop: () => void;
}

/** Watches how much memory is really taken (total - available, so page cache does not count). */
export function watchMemory(
  readMeminfo: () => string = () => readFileSync("/proc/meminfo", "utf8"),
): MemoryPeak {
  let peakBytes = 0;
  let totalMemory = 0;
  let takenBy: Record<string, number> = {};
  const sample = (): void => {
    const meminfo = readMeminfo();
    const { totalBytes, availableBytes } = parseMemory(meminfo);
    totalMemory = totalBytes;
    if (totalBytes - availableBytes <= peakBytes) return;
    peakBytes = totalBytes - availableBytes;
    takenBy = largestUsers(meminfo);
  };
  sample();
  const timer = setInterval(sample, intervalMs).unref();
  return {
    read: () => {
      sample();
      return {
        peakMiB: Math.round(peakBytes / mebibyte),
        totalMiB: Math.round(totalMemory / mebibyte),
        takenBy,
      };
    },
    stop: () => clearInterval(timer),
  };
}

/** Shmem holds the ramdisk's own files and the package; Dirty and Writeback are on their way to the disk. */
const told = [
  "Shmem",
  "AnonPages",
  "SUnreclaim",
  "SReclaimable",
  "KernelStack",
  "PageTables",
  "Percpu",
  "Dirty",
  "Writeback",
];

function largestUsers(meminfo: string): Record<string, number> {
  const users: Record<string, number> = {};
  for (const name of told) {
    const match = new RegExp(`^${name}: +(\\d+) kB`, "m").exec(meminfo);
    if (match) users[name] = Math.round(Number(match[1]) / 1024);
  }
  return users;
}
