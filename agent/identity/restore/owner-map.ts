import type { Identity } from "../../../format/identity.ts";
import { parseGroup, parsePasswd } from "../accounts/account-tables.ts";
import type { AccountMerge } from "../accounts/merge-accounts.ts";

/** Numbers of preserved files' owners on the new system. */
export interface OwnerMap {
  user: (oldId: number, path: string) => number;
  group: (oldId: number, path: string) => number;
}

/**
 * Carried people by their new numbers, system accounts by name; a number nobody has on the new system stays,
 * and one that belongs to somebody else there becomes root's, because it must not become that somebody's.
 */
export function ownerMap(identity: Identity, merge: AccountMerge, notes: string[]): OwnerMap {
  const said = new Set<string>();
  const lookup = (kind: "user" | "group"): ((oldId: number, path: string) => number) => {
    const carried = kind === "user" ? merge.userIds : merge.groupIds;
    const old = new Map(
      (kind === "user" ? identity.systemUsers : identity.systemGroups)?.map((one) => [one.id, one.name]),
    );
    const present: { name: string; id: number }[] =
      kind === "user"
        ? parsePasswd(merge.files.passwd, []).map((entry) => ({ name: entry.name, id: entry.uid }))
        : parseGroup(merge.files.group, []).map((entry) => ({ name: entry.name, id: entry.gid }));
    return (oldId, path) => {
      const mapped = carried.get(oldId);
      if (mapped !== undefined) return mapped;
      const name = old.get(oldId);
      const namesake = present.find((one) => one.name === name);
      if (namesake !== undefined) return namesake.id;
      const other = present.find((one) => one.id === oldId);
      const key = `${kind} ${oldId}`;
      // Host keys become root's whatever group they had.
      if (!said.has(key) && !path.startsWith("/etc/ssh/ssh_host_")) {
        said.add(key);
        const who = `${kind} ${name ?? oldId} (${oldId})`;
        notes.push(
          other === undefined
            ? `${path} belongs to the old ${who}, which the new system does not have; it keeps the number.`
            : `${path} belonged to the old ${who}, whose number is ${other.name}'s on the new system; it is root's now.`,
        );
      }
      return other === undefined ? oldId : 0;
    };
  };
  return { user: lookup("user"), group: lookup("group") };
}
