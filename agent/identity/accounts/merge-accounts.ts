import type { Identity, User } from "../../../format/identity.ts";
import { parseGroup, parsePasswd, parseShadow, type GroupEntry, type PasswdEntry } from "./account-tables.ts";
import { chooseIds } from "./choose-ids.ts";
import { renderGroup, renderGshadow, renderPasswd, renderShadow } from "./render-accounts.ts";
import { administratorGroups } from "./select-accounts.ts";

export interface AccountFiles {
  passwd: string;
  shadow: string;
  group: string;
  /** Absent on targets without one. */
  gshadow?: string;
}

export interface AccountMerge {
  files: AccountFiles;
  /** Old number -> new number of carried accounts and groups, also where both are equal. */
  userIds: Map<number, number>;
  groupIds: Map<number, number>;
  /** Carried people with their new numbers. */
  users: PasswdEntry[];
  /** Accounts of the image that got an old number: what they own must follow. */
  renumbered: { name: string; home: string; from: number; to: number }[];
  notes: string[];
}

/**
 * Puts the old people into the target's account files. The target's system accounts keep their numbers;
 * a person keeps theirs where it is free, else gets the next free one. Every other line stays as it is.
 */
export function mergeAccounts(options: {
  target: AccountFiles;
  identity: Pick<Identity, "users" | "groups" | "administrators">;
  /** Is there such a program in the target? */
  hasProgram: (path: string) => boolean;
}): AccountMerge {
  const { target, identity } = options;
  const notes: string[] = [];
  const passwd = parsePasswd(target.passwd, []);
  const groups = parseGroup(target.group, []);
  const people = identity.users
    .filter((user) => user.name !== "root")
    .sort((a, b) => a.uid - b.uid || (a.name < b.name ? -1 : 1));

  const groupChoice = chooseIds({
    kind: "group",
    wanted: [
      ...identity.groups.map((group) => ({ name: group.name, id: group.gid })),
      ...privateGroups(people, identity),
    ],
    present: groups.map((group) => ({ name: group.name, id: group.gid })),
    notes,
  });
  const userChoice = chooseIds({
    kind: "user",
    wanted: people.map((user) => ({ name: user.name, id: user.uid })),
    present: passwd.map((entry) => ({ name: entry.name, id: entry.uid })),
    notes,
  });
  const merged = people.map((user): PasswdEntry => {
    const own = passwd.find((entry) => entry.name === user.name);
    const uid = userChoice.byName.get(user.name) ?? user.uid;
    // The new system's services count on their own home, shell and group.
    if (own !== undefined && own.uid === uid && isSystemAccount(own)) return own;
    return {
      name: user.name,
      uid,
      gid: groupChoice.byOldId.get(user.gid) ?? user.gid,
      comment: user.comment,
      home: safeHome(user, notes),
      shell: shellFor(user, options.hasProgram, notes),
    };
  });
  const wantedGroups = identity.groups.map((group): GroupEntry => ({
    ...group,
    gid: groupChoice.byName.get(group.name) ?? group.gid,
  }));
  for (const group of privateGroups(people, identity)) {
    wantedGroups.push({ name: group.name, gid: groupChoice.byName.get(group.name) ?? group.id, members: [] });
  }
  const admin = administrators(identity, groups, notes);
  if (admin !== undefined) wantedGroups.push(admin);
  const allGroups = mergeMembers(wantedGroups);
  const hashes = new Map(
    identity.users.flatMap((user) => (user.shadow === undefined ? [] : [[user.name, user.shadow] as const])),
  );
  return {
    files: {
      passwd: renderPasswd(target.passwd, merged),
      shadow: renderShadow(
        target.shadow,
        hashes,
        people.map((user) => user.name),
        parseShadow(target.shadow, []),
      ),
      group: renderGroup(target.group, allGroups),
      ...(target.gshadow === undefined ? {} : { gshadow: renderGshadow(target.gshadow, allGroups) }),
    },
    userIds: new Map([[0, 0], ...userChoice.byOldId]),
    groupIds: new Map([[0, 0], ...groupChoice.byOldId]),
    users: merged,
    renumbered: userChoice.renumbered.flatMap(({ name, from, to }) => {
      const home = passwd.find((entry) => entry.name === name)?.home ?? "";
      return home === "" || home === "/" ? [] : [{ name, home, from, to }];
    }),
    notes,
  };
}

function isSystemAccount(entry: PasswdEntry): boolean {
  return entry.uid < 1000 && !entry.home.startsWith("/home/");
}

/** A person whose primary group has no line gets one of their own name, as useradd does. */
function privateGroups(
  people: readonly User[],
  identity: Pick<Identity, "groups">,
): { name: string; id: number }[] {
  const known = new Set(identity.groups.map((group) => group.gid));
  const taken = new Set(identity.groups.map((group) => group.name));
  const result = new Map<number, string>();
  for (const user of people) {
    if (user.gid !== 0 && !known.has(user.gid) && !taken.has(user.name) && !result.has(user.gid))
      result.set(user.gid, user.name);
  }
  return [...result].map(([id, name]) => ({ name, id }));
}

function administrators(
  identity: Pick<Identity, "administrators">,
  groups: readonly GroupEntry[],
  notes: string[],
): GroupEntry | undefined {
  if (identity.administrators.length === 0) return undefined;
  const group = ["sudo", "wheel", "admin"]
    .map((name) => groups.find((one) => one.name === name))
    .find((one) => one !== undefined);
  if (group === undefined) {
    notes.push(
      `${identity.administrators.join(", ")} could become root on the old system; the new one has none of the groups ${administratorGroups.join(", ")}.`,
    );
    return undefined;
  }
  return { name: group.name, gid: group.gid, members: [...identity.administrators] };
}

function mergeMembers(groups: readonly GroupEntry[]): GroupEntry[] {
  const merged = new Map<string, GroupEntry>();
  for (const group of groups) {
    const members = [...(merged.get(group.name)?.members ?? []), ...group.members];
    merged.set(group.name, { ...group, members: [...new Set(members)] });
  }
  return [...merged.values()];
}

function safeHome(user: User, notes: string[]): string {
  if (/^\/[^:]+$/.test(user.home) && !user.home.split("/").includes("..")) return user.home;
  notes.push(
    `User ${user.name} had the home folder ${JSON.stringify(user.home)}; the new one is /home/${user.name}.`,
  );
  return `/home/${user.name}`;
}

function shellFor(user: User, hasProgram: (path: string) => boolean, notes: string[]): string {
  if (user.shell === "" || hasProgram(user.shell)) return user.shell;
  const alternatives = /(nologin|false)$/.test(user.shell)
    ? ["/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false"]
    : [`/usr/bin/${user.shell.split("/").at(-1)}`, "/bin/bash", "/bin/sh"];
  const shell = alternatives.find(hasProgram) ?? "/bin/sh";
  notes.push(
    `User ${user.name} had the shell ${user.shell}, which the new system does not have; it is ${shell} now.`,
  );
  return shell;
}
