import type { KeyRole } from "../../format/signature.ts";

/**
 * What `dualroot.without=NAME,…` can leave out, so that tests can show that each of them matters:
 * - `flush`: the flushes around the writes of sector 0, and of the loader they point to
 * - `read-back`: reading back what was written (GRUB's images, sector 0, the new system's files)
 * - `verify-stash`: hashing the package's files on the disk before the first write
 * - `arm`: the resume loader
 * - `reserve`: keeping the new volumes off the stash
 * - `bad-first`: an upgrade marks the other slot bad before it writes there
 * - `activate-last`: it makes the slot bootable only after everything was read back
 */
export const safeguards = [
  "flush",
  "read-back",
  "verify-stash",
  "arm",
  "reserve",
  "bad-first",
  "activate-last",
] as const;
export type Safeguard = (typeof safeguards)[number];

/** What is really left out: nothing unless the package is signed with a development key. Tells what it decides. */
export function leftOut(
  names: readonly string[],
  role: KeyRole,
  tell: (...lines: string[]) => void,
): ReadonlySet<Safeguard> {
  const known = safeguards.filter((name) => names.includes(name));
  const unknown = names.filter((name) => !safeguards.some((safeguard) => safeguard === name));
  if (unknown.length > 0) tell(`dualroot.without: there is no safeguard ${unknown.join(", ")}.`);
  if (known.length === 0) return new Set();
  if (role !== "dev") {
    tell("dualroot.without is for tests and is ignored: the package is not signed with a development key.");
    return new Set();
  }
  tell(`WARNING: left out for a test, this gateway may be LOST: ${known.join(", ")}.`);
  return new Set(known);
}
