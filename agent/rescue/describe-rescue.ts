export interface RescueState {
  reason: readonly string[];
  hostname: string | undefined;
  /** Where name, network and people were read from. */
  source: string | undefined;
  network: readonly string[];
  ssh: readonly string[];
  /** blkid's lines. */
  disks: readonly string[];
  /** A conversion stopped here, and its stash is whole. */
  canConvertAgain: boolean;
}

/** What stands on every console, and what whoever comes in by ssh reads first. */
export function describeRescue(state: RescueState): { console: string[]; greeting: string[] } {
  const whose = state.hostname === undefined ? "a gateway without a known name" : state.hostname;
  const from = state.source === undefined ? "nothing on the disks says which" : `as ${state.source} says`;
  const common = [
    "",
    `dualroot rescue system of ${whose} (${from})`,
    ...state.reason.map((line) => `  ${line}`),
    "  This system lives in memory; nothing on the disk was changed by it.",
    "",
    ...state.network.map((line) => `  ${line}`),
    ...state.ssh.map((line) => `  ${line}`),
    "",
    "  dualroot-slots       what the slots hold (mounts them read-only below /mnt)",
    "  dualroot-try A       have GRUB boot slot A next, with three fresh tries; B likewise. Restarts",
    ...(state.canConvertAgain
      ? ["  dualroot-again       run the conversion again from the start: its package is still on the disk"]
      : []),
    "  reboot -f            restart and let GRUB choose again",
    "  less /run/dualroot/log       all that was done here; /run/dualroot/messages: ssh and DHCP",
    "",
  ];
  return {
    console: [...common, "What the disks hold:", ...state.disks.map((line) => `  ${line}`), ""],
    greeting: common,
  };
}
