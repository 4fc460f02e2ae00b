import { formatSize } from "../../format/sizes.ts";
import type { LeftOut } from "../rootfs/select-entries.ts";

/** One sum for each reason, largest first. */
export function leftOutByReason(left: readonly LeftOut[]): Omit<LeftOut, "pattern">[] {
  const sums = new Map<string, Omit<LeftOut, "pattern">>();
  for (const { why, entries, bytes } of left) {
    const sum = sums.get(why) ?? { why, entries: 0, bytes: 0 };
    sum.entries += entries;
    sum.bytes += bytes;
    sums.set(why, sum);
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes || (a.why < b.why ? -1 : 1));
}

/** What hygiene saved, in one line: "left out: 34 MiB (package cache 28 MiB, logs 5 MiB, ...)". */
export function leftOutLine(left: readonly LeftOut[]): string {
  const reasons = leftOutByReason(left);
  const total = reasons.reduce((sum, { bytes }) => sum + bytes, 0);
  const shown = reasons.filter(({ bytes }) => bytes > 0).slice(0, 4);
  const list = shown.map(({ why, bytes }) => `${why} ${formatSize(bytes)}`).join(", ");
  return `left out: ${formatSize(total)}${list === "" ? "" : ` (${list})`}; see dualroot plan`;
}
