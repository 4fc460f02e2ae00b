import { readFileSync } from "node:fs";
import { parseMemory } from "../facts/parse-proc.ts";

const intervalMs = 250;
const mebibyte = 1024 * 1024;

export interface MemoryPeak {
  read: () => { peakMiB: number; totalMiB: number };
  stop: () => void;
}

/** Watches how much memory is really taken (total - available, so page cache does not count). */
export function watchMemory(
  readMeminfo: () => string = () => readFileSync("/proc/meminfo", "utf8"),
): MemoryPeak {
  let peakBytes = 0;
  let totalMemory = 0;
  const sample = (): void => {
    const { totalBytes, availableBytes } = parseMemory(readMeminfo());
    peakBytes = Math.max(peakBytes, totalBytes - availableBytes);
    totalMemory = totalBytes;
  };
  sample();
  const timer = setInterval(sample, intervalMs).unref();
  return {
    read: () => {
      sample();
      return { peakMiB: Math.round(peakBytes / mebibyte), totalMiB: Math.round(totalMemory / mebibyte) };
    },
    stop: () => clearInterval(timer),
  };
}
