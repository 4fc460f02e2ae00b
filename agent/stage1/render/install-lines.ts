import type { UpgradeReport } from "../../../format/upgrade-report.ts";
import type { UpgradeState } from "../status-install.ts";
import { formatDuration } from "../../render/format-duration.ts";

/** What the operator sees once the other slot boots next. */
export function installWords(
  { release, slot, identity, notes }: UpgradeReport,
  options: { running: string; restartAt: string; notRestarted: string | undefined; seconds: number },
): string[] {
  const { running, restartAt, notRestarted, seconds } = options;
  const different = identity.filter(({ equal }) => !equal).length;
  const when =
    notRestarted !== undefined
      ? `The restart could not be arranged: ${notRestarted}. Restart the gateway yourself.`
      : restartAt === "now"
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

/** How the last upgrade went, for status. */
export function renderUpgrade({ state, report, isBootable }: UpgradeState): string[] {
  const { slot, release, identity, problems, ended } = report;
  const again = "sh upgrade.sh install starts it again, from the top.";
  // Without the last report: cut off before the first write, or after the last one, which made the slot bootable.
  const boots = isBootable
    ? "GRUB may boot what is in it: nothing was written yet, or all of it"
    : "GRUB does not look at it";
  switch (state) {
    case "running":
      return [`Upgrade: slot ${slot} is being filled with ${release}.`];
    case "cut-off":
      return [`Upgrade: cut off while slot ${slot} was filled with ${release}; ${boots}.`, again];
    case "failed":
    case "interrupted":
      return [
        `Upgrade: ${state} while slot ${slot} was filled with ${release}; ${boots}.`,
        ...problems.map(({ message, code }) => `  ${message} [${code}]`),
        again,
      ];
    case "activated":
    case "adopted":
      return [
        `Upgrade: slot ${slot} has had ${release} since ${ended ?? "an unknown time"}; ${identity.filter(({ equal }) => equal).length} of ${identity.length} items of identity were equal.`,
      ];
  }
}
