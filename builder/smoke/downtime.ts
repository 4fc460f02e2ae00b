import type { MachineEvent } from "../vm/qmp.ts";
import type { ConsoleLine } from "../vm/serial-console.ts";

/** First words of a kernel that starts, and of our ramdisk, should the kernel be silent. */
const nextSystem = /Linux version \d|dualroot: ramdisk started/;

/**
 * performance.now() of the old system's last line: the last one before the machine was reset or, with kexec, which resets
 * nothing, before the next kernel's first. Undefined when neither happened after `startedMs`.
 */
export function lastLineOfOldSystem(
  lines: readonly ConsoleLine[],
  events: readonly MachineEvent[],
  startedMs: number,
): number | undefined {
  const reset = events.find(({ event, atMs }) => event === "RESET" && atMs >= startedMs)?.atMs;
  const kernel = lines.find(({ text, atMs }) => atMs >= startedMs && nextSystem.test(text))?.atMs;
  const end = Math.min(reset ?? Infinity, kernel ?? Infinity);
  if (end === Infinity) return undefined;
  return lines.findLast(({ atMs }) => atMs >= startedMs && atMs < end)?.atMs;
}
