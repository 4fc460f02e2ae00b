import type { Reporter } from "../../../format/events.ts";
import type { KeyRole } from "../../../format/signature.ts";

/**
 * What the environment's `DUALROOT_WITHOUT=NAME,…` can leave out, so that tests can show that each matters:
 * - `stash-placement`: keeping the stash off the places that the new layout needs
 * - `stash-read-back`: reading the stash back from the raw disk
 */
export const stashSafeguards = ["stash-placement", "stash-read-back"] as const;
export type StashSafeguard = (typeof stashSafeguards)[number];

/** Nothing is left out unless the package is signed with a development key. */
export function safeguardsLeftOut(
  words: string | undefined,
  role: KeyRole,
  report: Reporter,
): ReadonlySet<StashSafeguard> {
  const names = (words ?? "").split(",");
  const known = stashSafeguards.filter((name) => role === "dev" && names.includes(name));
  for (const name of known)
    report({
      kind: "note",
      level: "warn",
      message: `${name} is left out for a test: this gateway may be LOST.`,
    });
  return new Set(known);
}
