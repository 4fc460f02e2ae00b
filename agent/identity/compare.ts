import { sha256Hex } from "../../format/digest.ts";
import type { Identity, NetworkInterface, User } from "../../format/identity.ts";
import { administratorGroups } from "./accounts/select-accounts.ts";
import { normalizeIdentity } from "./normalize-identity.ts";

export interface IdentityRow {
  item: string;
  old: string;
  new: string;
  equal: boolean;
}

const none = "-";

/** The old system's items, each beside what the new one has. What only the new one has is no item. Hashes are never shown. */
export function compareIdentity(before: Identity, after: Identity): IdentityRow[] {
  const old = normalizeIdentity(before);
  const now = normalizeIdentity(after);
  const rows: IdentityRow[] = [];
  const row = (item: string, oldText: string | undefined, newText: string | undefined): void => {
    const shown = { old: oldText || none, new: newText || none };
    rows.push({ item, ...shown, equal: shown.old === shown.new });
  };
  row("hostname", old.hostname, now.hostname);
  row("machine-id", old.machineId, now.machineId);
  row("time zone", old.timeZone, now.timeZone);
  for (const one of old.interfaces) {
    const twin = sameCard(one, now.interfaces);
    for (const [item, text] of interfaceItems(one)) row(`${one.name} ${item}`, text(one), twin && text(twin));
  }
  // A static resolv.conf also holds what the old lease had brought; that was in effect, and is no setting.
  const settings = (key: "servers" | "searchDomains"): string =>
    now.dns[key]
      .filter((word) => old.dns[key].includes(word) || old.resolver?.[key].includes(word) !== true)
      .join(" ");
  row("name servers", old.dns.servers.join(" "), settings("servers"));
  row("search domains", old.dns.searchDomains.join(" "), settings("searchDomains"));
  // A new system whose programs will write resolv.conf has none yet.
  if (old.resolver && now.resolver) {
    for (const [item, key] of [
      ["name servers in effect", "servers"],
      ["search domains in effect", "searchDomains"],
    ] as const) {
      const before = old.resolver[key];
      // Settings beyond what was in effect are rows of their own.
      const after = now.resolver[key].filter((word) => before.includes(word) || !old.dns[key].includes(word));
      row(item, before.join(" "), after.join(" "));
    }
  }
  row("hosts", old.hosts.join("; "), now.hosts.filter((line) => old.hosts.includes(line)).join("; "));
  for (const user of old.users) userRows(user, old, now, row);
  groupRows(old, now, row);
  const people = new Set(old.users.map((user) => user.name));
  row(
    "administrators",
    old.administrators.join(" "),
    now.administrators.filter((name) => people.has(name)).join(" "),
  );
  row(
    "sudo rules",
    sudoRules(old).join("; "),
    sudoRules(now)
      .filter((rule) => sudoRules(old).includes(rule))
      .join("; "),
  );
  for (const key of old.sshHostKeys ?? []) {
    row(
      `ssh host key ${key.file.split("/").at(-1)}`,
      key.fingerprint,
      now.sshHostKeys?.find((one) => one.file === key.file)?.fingerprint,
    );
  }
  for (const keys of old.authorizedKeys ?? []) {
    const twin = now.authorizedKeys?.find((one) => one.user === keys.user);
    const shown = (one: typeof keys): string => `${one.keys} (${one.sha256.slice(0, 12)})`;
    row(`authorized keys of ${keys.user}`, shown(keys), twin && shown(twin));
  }
  return rows;
}

/** By MAC address where both know it: the name may have changed. */
function sameCard(one: NetworkInterface, others: readonly NetworkInterface[]): NetworkInterface | undefined {
  const byMac =
    one.macAddress === undefined ? undefined : others.find((other) => other.macAddress === one.macAddress);
  return byMac ?? others.find((other) => other.name === one.name);
}

type Text = (one: NetworkInterface) => string;

/** Only what the old interface has, besides its addresses: empty lines prove nothing. */
function interfaceItems(one: NetworkInterface): [string, Text][] {
  const items: [string, Text][] = [
    [
      "IPv4",
      (each) => `${each.ipv4} ${each.addresses.filter((text) => !text.includes(":")).join(" ")}`.trim(),
    ],
    [
      "IPv6",
      (each) => `${each.ipv6} ${each.addresses.filter((text) => text.includes(":")).join(" ")}`.trim(),
    ],
    ["routes", (each) => each.routes.map(routeText).join("; ")],
    ["name servers", (each) => each.dnsServers.join(" ")],
    ["search domains", (each) => each.searchDomains.join(" ")],
    ["MTU", (each) => String(each.mtu ?? "")],
    ["MAC address", (each) => each.macAddress ?? ""],
    ["assigned MAC address", (each) => each.assignedMacAddress ?? ""],
  ];
  return items.filter(([item, text]) => item === "IPv4" || text(one) !== "");
}

function routeText(route: NetworkInterface["routes"][number]): string {
  const destination = route.destination.endsWith("/0") ? "default" : route.destination;
  return [
    destination,
    ...(route.gateway ? ["via", route.gateway] : []),
    ...(route.metric ? ["metric", route.metric] : []),
  ].join(" ");
}

function userRows(
  user: User,
  old: Identity,
  now: Identity,
  row: (item: string, old?: string, now?: string) => void,
): void {
  const twin = now.users.find((one) => one.name === user.name);
  row(`password of ${user.name}`, passwordText(user), twin && passwordText(twin));
  if (user.name === "root") return;
  row(`uid of ${user.name}`, String(user.uid), twin && String(twin.uid));
  row(`home and shell of ${user.name}`, `${user.home} ${user.shell}`, twin && `${twin.home} ${twin.shell}`);
  row(`comment of ${user.name}`, user.comment, twin?.comment);
  const primary = (one: User, identity: Identity): string =>
    identity.groups.find((group) => group.gid === one.gid)?.name ?? String(one.gid);
  row(`group of ${user.name}`, primary(user, old), twin && primary(twin, now));
}

/** A fingerprint of the hash: equal when it is the same, worth nothing to somebody who reads the report. */
function passwordText(user: User): string {
  const hash = user.shadow?.[0];
  if (hash === undefined) return "none";
  if (hash === "") return "empty";
  if (/^[!*]/.test(hash))
    return hash.length > 2 ? `locked, sha256 ${fingerprint(user.name, hash)}` : "locked";
  return `sha256 ${fingerprint(user.name, hash)}`;
}

function fingerprint(name: string, hash: string): string {
  return sha256Hex(`dualroot password fingerprint\0${name}\0${hash}`).slice(0, 12);
}

function groupRows(
  old: Identity,
  now: Identity,
  row: (item: string, old?: string, now?: string) => void,
): void {
  const people = new Set(old.users.map((user) => user.name));
  for (const group of old.groups) {
    if (administratorGroups.some((name) => name === group.name)) continue;
    const twin = now.groups.find((one) => one.name === group.name);
    const members = (names: readonly string[]): string => names.filter((name) => people.has(name)).join(" ");
    // System groups have other numbers on other distributions; their members are what counts.
    const shown = (one: typeof group): string =>
      group.gid < 1000 ? members(one.members) || "no members" : `${one.gid} ${members(one.members)}`.trim();
    row(`group ${group.name}`, shown(group), twin && shown(twin));
  }
}

/** The administrators' group has another name on another distribution. */
function sudoRules(identity: Identity): string[] {
  return (identity.sudoRules ?? [])
    .map((rule) => rule.replace(/^%(wheel|sudo|admin) /, "%administrators "))
    .sort();
}
