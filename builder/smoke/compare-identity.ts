import type { IdentityItem } from "./report.ts";

/**
 * Every item of the old system against the new one's. What only the new system has is its own. A uid may differ where the
 * conversion's report has a note that names the account: then it is accepted, and the note is shown.
 */
export function compareIdentity(
  old: ReadonlyMap<string, string>,
  current: ReadonlyMap<string, string>,
  notes: readonly string[],
): IdentityItem[] {
  return [...old].map(([item, value]) => {
    const found = current.get(item) ?? "(missing)";
    const equal = found === value;
    const account = /^uid of (.+)$/.exec(item)?.[1];
    const note =
      account === undefined
        ? undefined
        : notes.find((text) => text.split(/[^A-Za-z0-9_.-]+/).includes(account));
    return {
      item,
      old: value,
      new: found,
      equal,
      ...(!equal && note !== undefined ? { accepted: note } : {}),
    };
  });
}
