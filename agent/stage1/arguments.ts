import { userError, type UserError } from "../../format/errors.ts";
import { suggest } from "./suggest.ts";
import { misplacedFlag } from "./flag-rules.ts";

export const commandNames = [
  "check",
  "convert",
  "install",
  "upgrade",
  "status",
  "cancel",
  "rollback",
  "adopt",
] as const;
export type CommandName = (typeof commandNames)[number];

export const bootChoices = ["auto", "kexec", "grub"] as const;
export type BootWish = (typeof bootChoices)[number];

export const stashChoices = ["auto", "disk", "ram"] as const;
export type StashWish = (typeof stashChoices)[number];

export interface StageOneArguments {
  command: CommandName;
  /** Folder of the package, which upgrade.sh found or downloaded. */
  packageFolder: string;
  /** Folder of the unpacked runtime: Node, tools, keys. */
  runtimeFolder: string;
  /** Print the whole plan instead of converting. */
  dryRun: boolean;
  /** Boot the ramdisk, let it do everything up to its first write, and come back. */
  rehearse: boolean;
  assumeYes: boolean;
  boot: BootWish;
  /** Where the package waits while the disk is rewritten. */
  stash: StashWish;
  /** Ram mode may be: a power cut in it may cost the gateway. */
  acceptPowerRisk: boolean;
  /** What the operator says this gateway is, where the gateway itself does not. */
  compatible?: string;
  /** Filesystems beside the root filesystem may go. */
  acceptDataLoss: boolean;
  allowDevelopmentKey: boolean;
  /** rollback restarts the gateway itself, unless told not to. */
  reboot: boolean;
  /** When an upgraded gateway restarts: `now`, `later` (by whoever does it), or `HH:MM`. Absent when nothing was said. */
  restartAt?: string;
  /** An upgrade steps back for whatever else the gateway does. */
  gentle: boolean;
  /** The running slot is not healthy, and the upgrade may be the cure. */
  acceptUnhealthy: boolean;
  /** adopt: only the checks. */
  checkOnly: boolean;
  /** adopt: the slot that the other program would have written. */
  slot?: "A" | "B";
  /** adopt: that other program. */
  installedBy: "upgrade" | "rauc";
  json: boolean;
}

const switches = {
  "--yes": "assumeYes",
  "--dry-run": "dryRun",
  "--rehearse": "rehearse",
  "--json": "json",
  "--no-reboot": "noReboot",
  "--gentle": "gentle",
  "--check": "checkOnly",
  "--accept-unhealthy": "acceptUnhealthy",
  "--accept-data-loss": "acceptDataLoss",
  "--accept-power-risk": "acceptPowerRisk",
  "--allow-development-key": "allowDevelopmentKey",
} as const;
const valued = [
  "--boot",
  "--stash",
  "--compatible",
  "--reboot",
  "--slot",
  "--installed-by",
  "--package",
  "--runtime",
] as const;
const installers = ["upgrade", "rauc"] as const;
/** Commands that can print what they would do. */
const withPlan: readonly CommandName[] = ["check", "convert", "install", "upgrade"];
const knownFlags: readonly string[] = [...Object.keys(switches), ...valued, "--from", "--help"];

/** Reads the words after `agent.mjs stage1`. A flag we do not know is refused, never ignored: it might have been `--dry-run`. */
export function parseArguments(argv: readonly string[]): StageOneArguments {
  const values = new Map<string, string>();
  const on = new Set<string>();
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const [flag, inline] = splitFlag(argv[index] ?? "");
    if (!flag.startsWith("-")) words.push(flag);
    else if (flag in switches && inline === undefined) on.add(flag);
    else if ((valued as readonly string[]).includes(flag)) {
      const value = inline ?? argv[(index += 1)];
      if (!value) throw usage(`${flag} needs a value.`);
      values.set(flag, value);
    } else throw usage(`${argv[index]} is not an option of upgrade.sh.`, suggest(flag, knownFlags));
  }
  const [word, ...surplus] = words;
  if (surplus.length > 0) throw usage(`One command at a time: "${words.join(" ")}" is ${words.length}.`);
  const dryRun = on.has("--dry-run");
  if (word === undefined && !dryRun) throw usage("No command was given.");
  const command = commandNames.find((name) => name === (word ?? "check"));
  if (!command) throw usage(`"${word}" is not a command of upgrade.sh.`, suggest(word ?? "", commandNames));
  if (dryRun && !withPlan.includes(command)) throw usage(`${command} has no --dry-run.`);
  const misplaced = misplacedFlag(command, [...on, ...values.keys()]);
  if (misplaced !== undefined) throw usage(misplaced);
  const restartAt = values.get("--reboot");
  if (restartAt !== undefined && !/^(now|later|([01]\d|2[0-3]):[0-5]\d)$/.test(restartAt))
    throw usage(`--reboot takes now, later, or a time such as 03:30, not "${restartAt}".`);
  if (command === "convert" && restartAt !== undefined && restartAt !== "now")
    throw usage("A conversion goes through the ramdisk at once: convert knows --reboot now only.");
  const slot = values.get("--slot");
  if (slot !== undefined && slot !== "A" && slot !== "B") throw usage(`--slot takes A or B, not "${slot}".`);
  const boot = oneOf("--boot", bootChoices, values);
  const stash = oneOf("--stash", stashChoices, values);
  const compatible = values.get("--compatible");
  return {
    command,
    packageFolder: values.get("--package") ?? ".",
    runtimeFolder: values.get("--runtime") ?? "/",
    dryRun,
    rehearse: on.has("--rehearse"),
    assumeYes: on.has("--yes"),
    boot,
    stash,
    acceptPowerRisk: on.has("--accept-power-risk"),
    ...(compatible === undefined ? {} : { compatible }),
    acceptDataLoss: on.has("--accept-data-loss"),
    allowDevelopmentKey: on.has("--allow-development-key"),
    reboot: !on.has("--no-reboot"),
    ...(restartAt === undefined ? {} : { restartAt }),
    gentle: on.has("--gentle"),
    acceptUnhealthy: on.has("--accept-unhealthy"),
    checkOnly: on.has("--check"),
    ...(slot === undefined ? {} : { slot }),
    installedBy: oneOf("--installed-by", installers, values, "rauc"),
    json: on.has("--json"),
  };
}

function oneOf<Choice extends string>(
  flag: string,
  choices: readonly Choice[],
  values: ReadonlyMap<string, string>,
  usual = "auto",
): Choice {
  const value = values.get(flag) ?? usual;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw usage(`${flag} takes ${choices.join(", ")}, not "${value}".`);
  return found;
}

function splitFlag(argument: string): [string, string?] {
  const equals = argument.indexOf("=");
  if (!argument.startsWith("--") || equals < 0) return [argument];
  return [argument.slice(0, equals), argument.slice(equals + 1)];
}

function usage(message: string, meant?: string): UserError {
  const help = "sh upgrade.sh --help lists commands and options.";
  return userError(
    { code: "usage", message, hint: meant ? `Did you mean ${meant}? ${help}` : help },
    "usage",
  );
}
