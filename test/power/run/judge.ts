import { stripVTControlCharacters } from "node:util";

/** How a disk ended up that was left alone after a cut. The first two are what the project promises. */
export type Outcome = "old" | "converted" | "different" | "rescue" | "dead" | "late";

export interface Reference {
  /** Fingerprint of the old system before anything was done; of an upgrade what slot A says of itself, without the other slot. */
  old: string;
  /** What the new system says of itself after an undisturbed conversion or upgrade: slot, commit, report, identity, files. */
  converted: string;
}

export interface Verdict {
  outcome: Outcome;
  /** What was seen, in one line. */
  detail: string;
}

const rescue = /dualroot: rescue system/;
/** The firmware's, GRUB's and the ramdisk's last words. */
const dead = /No bootable device|grub rescue>|do NOT switch the machine off/;
/** Nobody will come after one of these. */
export const hopeless = new RegExp(`${rescue.source}|${dead.source}`);

/** Ends a point's wait: the system that came up is about to power off, or nobody will come. GRUB's own output may lead the line. */
export const finalLine = new RegExp(
  `(?:OLD-SYSTEM \\S+|NEW-SYSTEM slot=[^\\n]*)\\r?\\n|[^\\n]*(?:${hopeless.source})`,
  "m",
);

/** `line`: what `finalLine` found; undefined when the time was up. */
export function judge(line: string | undefined, reference: Reference): Verdict {
  if (line === undefined) return { outcome: "late", detail: "no system came up in time" };
  const detail = stripVTControlCharacters(line).trim();
  const old = /OLD-SYSTEM (\S+)/.exec(detail);
  if (old) return { outcome: old[1] === reference.old ? "old" : "different", detail };
  if (detail.startsWith("NEW-SYSTEM")) {
    if (detail === reference.converted) return { outcome: "converted", detail };
    return { outcome: withoutOtherSlot(detail) === reference.old ? "old" : "different", detail };
  }
  return { outcome: rescue.test(detail) ? "rescue" : "dead", detail };
}

/** While a slot is written, what lies in it is nobody's business. */
export function withoutOtherSlot(line: string): string {
  return line.replace(/ slot_[ab]=\S+$/, "");
}

export function isPromised({ outcome }: Pick<Verdict, "outcome">): boolean {
  return outcome === "old" || outcome === "converted";
}
