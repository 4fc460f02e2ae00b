import { refuse, warnAbout, type InstallCheck, type InstallCheckContext } from "./install-check.ts";

export const dualSystem: InstallCheck = {
  name: "dual-system",
  title: "Dual system",
  run: ({ install: { running, system, slots } }) => {
    if (!system && slots.length > 0)
      return refuse({
        code: "slot-unknown",
        message: `GRUB's menu has ${slots.length} slots, and /etc/dualroot/system.json, which says what runs here, cannot be read.`,
        hint: "Put it right by the other slot's, with this slot's letter, then check again.",
      });
    if (!system)
      return refuse({
        code: "not-dual-system",
        message: "This gateway is no dual system: it has no slot that an upgrade could be put into.",
        hint: "Convert it: sh upgrade.sh convert, or sh upgrade.sh upgrade, which does what fits.",
      });
    if (running !== system.slot)
      return refuse({
        code: "slot-unknown",
        message: `The kernel was started from ${running ? `slot ${running}` : "no slot (no rauc.slot= on its command line)"}, and /etc/dualroot/system.json says slot ${system.slot}.`,
        hint: "Restart the gateway from its own boot menu, then check again.",
      });
    return `slot ${running} runs ${system.name} ${system.version}${system.oldSystem === true ? " (the old system)" : ""}`;
  },
};

/** The slot that runs is the way back: it must be one that GRUB boots again, and well. */
export const runningSlot: InstallCheck = {
  name: "running-slot",
  title: "Running slot",
  run: (context) => {
    const { running, proven, health, grubenv } = context.install;
    if (running === undefined) return undefined;
    if (!proven)
      return unhealthy(context, `Slot ${running} has not been found healthy yet, so it is no way back.`);
    if (grubenv.state === "good" && grubenv.variables[`${running}_OK`] !== "1")
      return unhealthy(context, `Slot ${running}, which runs, is marked as not bootable.`);
    if (health && health.state !== "good")
      return unhealthy(context, `Slot ${running}, which runs, is not healthy: ${health.message}.`);
    return `slot ${running} is healthy and committed`;
  },
};

function unhealthy({ options }: InstallCheckContext, message: string): ReturnType<typeof refuse> {
  const problem = { code: "slot-unhealthy" as const, message };
  return options.acceptUnhealthy === true
    ? warnAbout({ ...problem, hint: "It goes on because of --accept-unhealthy." })
    : refuse({
        ...problem,
        hint: "dualroot-status says why. Where the upgrade is the cure, say --accept-unhealthy.",
      });
}
