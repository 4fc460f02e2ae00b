import type { Problem } from "../../../format/errors.ts";
import type { Group, Identity, User } from "../../../format/identity.ts";
import { isUsableHash, parseGroup, parsePasswd, parseShadow, type PasswdEntry } from "./account-tables.ts";

export interface AccountTexts {
  passwd: string;
  shadow: string;
  group: string;
  loginDefs: string;
  /** Accounts with an authorized_keys file. */
  withKeys: ReadonlySet<string>;
}

export type Accounts = Pick<Identity, "users" | "groups" | "administrators"> &
  Required<Pick<Identity, "systemUsers" | "systemGroups">> & { problems: Problem[] };

/** Groups whose members may become root, by distribution. */
export const administratorGroups = ["wheel", "sudo", "admin"] as const;
/** Above lie nobody and the ranges of containers and of systemd's dynamic users. */
const lastHumanId = 60_000;

/** The accounts that are people's (and root), with their groups: what moves to the new system. */
export function selectAccounts(texts: AccountTexts): Accounts {
  const problems: Problem[] = [];
  const passwd = parsePasswd(texts.passwd, problems);
  const shadow = parseShadow(texts.shadow, problems);
  const groups = parseGroup(texts.group, problems);
  const firstId = (word: string): number =>
    Number(new RegExp(`^\\s*${word}\\s+(\\d{1,9})`, "m").exec(texts.loginDefs)?.[1] ?? 1000);
  const carried = passwd.filter(
    (entry) =>
      entry.name === "root" ||
      (entry.uid !== 0 &&
        (isHuman(entry, firstId("UID_MIN")) ||
          isUsableHash(shadow.get(entry.name)?.[0]) ||
          texts.withKeys.has(entry.name))),
  );
  for (const entry of passwd.filter((other) => other.uid === 0 && other.name !== "root"))
    problems.push(secondRoot(entry.name));
  const names = new Set(carried.map((entry) => entry.name));
  const primary = new Set(carried.filter((entry) => entry.name !== "root").map((entry) => entry.gid));
  const isAdministrators = (name: string): boolean => administratorGroups.some((group) => group === name);
  const wanted = groups.filter(
    (group) =>
      group.name !== "root" &&
      (!isAdministrators(group.name) || primary.has(group.gid)) &&
      ((group.gid >= firstId("GID_MIN") && group.gid <= lastHumanId) ||
        primary.has(group.gid) ||
        group.members.some((member) => names.has(member) && member !== "root")),
  );
  const administrators = groups
    .filter((group) => isAdministrators(group.name))
    .flatMap((group) => [
      ...group.members,
      ...carried.filter((entry) => entry.gid === group.gid).map((entry) => entry.name),
    ])
    .filter((name) => names.has(name) && name !== "root");
  const wantedNames = new Set(wanted.map((group) => group.name));
  return {
    users: carried
      .map((entry) => user(entry, shadow.get(entry.name)))
      .sort(byNumberThenName((one) => one.uid)),
    groups: wanted
      .map((group): Group => ({ ...group, members: group.members.filter((name) => names.has(name)).sort() }))
      .sort(byNumberThenName((one) => one.gid)),
    administrators: [...new Set(administrators)].sort(),
    systemUsers: passwd
      .filter((entry) => !names.has(entry.name))
      .map((entry) => ({ name: entry.name, id: entry.uid })),
    systemGroups: groups
      .filter((group) => !wantedNames.has(group.name))
      .map((group) => ({ name: group.name, id: group.gid })),
    problems,
  };
}

function isHuman(entry: PasswdEntry, firstId: number): boolean {
  if (entry.uid >= firstId && entry.uid <= lastHumanId) return true;
  // A person of a system whose range began at 500.
  return (
    entry.uid >= 500 &&
    entry.uid < 1000 &&
    entry.home.startsWith("/home/") &&
    !/(nologin|false|sync)$/.test(entry.shell) &&
    entry.shell !== ""
  );
}

function user(entry: PasswdEntry, shadow: string[] | undefined): User {
  return { ...entry, ...(shadow === undefined ? {} : { shadow }) };
}

function byNumberThenName<T extends { name: string }>(number: (one: T) => number): (a: T, b: T) => number {
  return (a, b) => number(a) - number(b) || (a.name < b.name ? -1 : 1);
}

function secondRoot(name: string): Problem {
  return {
    code: "account-not-carried",
    message: `account ${name} has uid 0 like root and is not carried`,
    hint: "Give the person an account of their own in wheel or sudo before the conversion.",
    where: "/etc/passwd",
  };
}
