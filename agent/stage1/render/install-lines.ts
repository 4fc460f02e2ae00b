import type { UpgradeReport } from "../../../format/upgrade-report.ts";
import { formatDuration } from "../../render/format-duration.ts";

/** What the operator sees once the other slot boots next. */
export function installWords(
  { release, slot, identity, notes }: UpgradeReport,
  { running, restartAt, seconds }: { running: string; restartAt: string; seconds: number },
): string[] {
  const different = identity.filter(({ equal }) => !equal).length;
  const when =
    restartAt === "now"
      ? "The gateway restarts now."
      : restartAt === "later"
        ? "The next restart, whenever it comes, boots it."
        : `The gateway restarts at ${restartAt}.`;
  return [
    "",
    `Slot ${slot} has ${release}, after ${formatDuration(seconds)}. Slot ${running} is the fallback.`,
    `Identity: ${identity.length - different} of ${identity.length} items are equal.`,
    ...notes.map((note) => `  ${note}`),
    when,
  ];
}
