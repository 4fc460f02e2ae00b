import { userError, type UserError } from "../../format/errors.ts";

export const commandNames = ["check", "convert", "status", "cancel", "rollback"] as const;
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
  json: boolean;
}

const switches = {
  "--yes": "assumeYes",
  "--dry-run": "dryRun",
  "--rehearse": "rehearse",
  "--json": "json",
  "--no-reboot": "noReboot",
  "--accept-data-loss": "acceptDataLoss",
  "--accept-power-risk": "acceptPowerRisk",
  "--allow-development-key": "allowDevelopmentKey",
} as const;
const valued = ["--boot", "--stash", "--compatible", "--package", "--runtime"] as const;
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
  if (dryRun && command !== "check" && command !== "convert") throw usage(`${command} has no --dry-run.`);
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
    json: on.has("--json"),
  };
}

/** `auto` when nothing was said. */
function oneOf<Choice extends string>(
  flag: string,
  choices: readonly Choice[],
  values: ReadonlyMap<string, string>,
): Choice {
  const value = values.get(flag) ?? "auto";
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

/** The known word nearest to a mistyped one, if it is near at all. */
function suggest(word: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((one, other) => one.distance - other.distance);
  return nearest && nearest.distance <= Math.max(2, word.length / 3) ? nearest.candidate : undefined;
}

/** Levenshtein distance; words are short. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= Math.min(one.length, 40); row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
