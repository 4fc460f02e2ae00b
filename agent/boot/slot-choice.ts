import type { SlotName } from "../../format/grubenv.ts";

/** What GRUB sees when it starts. `environment`: decoded grubenv, undefined when GRUB cannot read it. */
export interface BootSituation {
  environment: ReadonlyMap<string, string> | undefined;
  /** Slots that exist, in the menu's default order. */
  slots: readonly SlotName[];
  /** Slots whose present content was healthy once (`/boot/slot.proven`). */
  proven: readonly SlotName[];
  /** Can GRUB write grubenv and read back what it wrote? */
  writable: boolean;
}

export interface BootChoice {
  boot: SlotName | "rescue";
  /** Keys that GRUB changes in grubenv before it boots; empty when it cannot or must not. */
  changes: ReadonlyMap<string, string>;
}

const triesLeft = ["0", "1", "2"];

/** Pure model of grub/grub.cfg.template; a test runs both on the same situations. */
export function chooseSlot({ environment, slots, proven, writable }: BootSituation): BootChoice {
  const value = (key: string, fallback: string): string => environment?.get(key) ?? fallback;
  const candidates = value("ORDER", slots.join(" "))
    .split(/[ \t\n]+/)
    .filter((word): word is SlotName => slots.some((name) => name === word))
    .filter((name) => value(`${name}_OK`, "1") === "1" && triesLeft.includes(value(`${name}_TRY`, "0")));
  const provenCandidate = candidates.find((name) => proven.includes(name));

  const [first] = candidates;
  if (first === undefined) return { boot: "rescue", changes: new Map() };
  if (environment !== undefined && writable) {
    const tries = Number(value(`${first}_TRY`, "0")) + 1;
    return { boot: first, changes: new Map([[`${first}_TRY`, String(tries)]]) };
  }
  return { boot: provenCandidate ?? "rescue", changes: new Map() };
}
