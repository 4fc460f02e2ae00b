import type { CommandName } from "./arguments.ts";

/** `upgrade` is one command for a whole fleet: it takes what either of its two ways needs. */
const converts: readonly CommandName[] = ["check", "convert", "upgrade"];
const installs: readonly CommandName[] = ["check", "install", "upgrade"];

/** Flags that mean something for some commands only: elsewhere they are refused, for they may have been meant. */
const places: Readonly<Record<string, readonly CommandName[]>> = {
  "--boot": converts,
  "--stash": converts,
  "--accept-power-risk": converts,
  "--accept-data-loss": converts,
  "--rehearse": converts,
  "--gentle": installs,
  "--accept-unhealthy": [...installs, "adopt"],
  "--reboot": [...installs, "convert"],
  "--no-reboot": ["rollback"],
  "--check": ["adopt"],
  "--slot": ["adopt"],
  "--installed-by": ["adopt"],
};

/** A sentence about the first flag that the command does not know; undefined when all is well. */
export function misplacedFlag(command: CommandName, flags: readonly string[]): string | undefined {
  const flag = flags.find((name) => places[name]?.includes(command) === false);
  return flag === undefined ? undefined : `${flag} is for ${places[flag]!.join(", ")}, not for ${command}.`;
}
