import type { ConversionReport } from "../../../format/report.ts";
import type { GatewayState } from "../status.ts";

const cleanUp = "sh upgrade.sh cancel removes what is left of it; sh upgrade.sh convert tries again.";

const stashWords = { disk: "stash on the disk", ram: "package held in memory" } as const;

export function renderStatus(state: GatewayState): string[] {
  switch (state.state) {
    case "not-prepared":
      return [
        "Not prepared: this gateway runs its old system, and no conversion is under way.",
        ...(state.lastReport ? ["", "The last attempt:", ...renderReport(state.lastReport)] : []),
      ];
    case "armed":
      return [
        `Armed: the next reboot converts this gateway to ${state.release} (${state.bootMethod}, ${stashWords[state.stash]}).`,
        "sh upgrade.sh cancel takes that back.",
      ];
    case "unfinished":
      return [
        `Unfinished: a conversion${state.release ? ` to ${state.release}` : ""} was prepared but not armed.`,
        cleanUp,
      ];
    case "rehearsed":
      return [
        `Rehearsed: the ramdisk of ${state.release} booted, checked and planned everything here, and changed nothing.`,
        "sh upgrade.sh convert does it.",
      ];
    case "failed":
      return [
        "Failed: the last conversion gave up before it changed anything; this is the old system.",
        ...renderReport(state.report),
        cleanUp,
      ];
    case "no-report":
      return [
        `Failed: the ramdisk of ${state.release} was to start (${state.bootMethod}) and left no report; this is the old system.`,
        "It did not boot on this machine, or was reset. The console log of that time tells more.",
        `sh upgrade.sh convert --boot ${state.bootMethod === "kexec" ? "grub" : "kexec"} starts it another way.`,
        cleanUp,
      ];
    case "old-system":
      return [
        `Old system: this gateway was converted and now runs slot ${state.slot} again, ${state.name} as it was ${state.version}.`,
        "sh upgrade.sh rollback leads forward again, to the other slot.",
      ];
    case "converted":
      return [`Converted: this gateway runs slot ${state.slot} of ${state.name} ${state.version}.`];
  }
}

function renderReport(report: ConversionReport): string[] {
  return [
    `  ${report.release}: ${report.outcome}`,
    ...report.problems.flatMap(({ message, hint, code }) => [
      `  ${message}`,
      `    hint: ${hint}`,
      `    code: ${code}`,
    ]),
  ];
}
