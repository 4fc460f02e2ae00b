import type { Problem } from "../../format/errors.ts";
import type { Identity } from "../../format/identity.ts";
import { familyOf } from "./addresses.ts";
import { writtenBy, type ConfigFiles } from "./config-files.ts";
import type { NetworkSource } from "./sources/detect-source.ts";
import { ifcfgPaths } from "./sources/ifcfg.ts";
import { parseResolvConf } from "./sources/resolv-conf.ts";
import { parseShellAssignments } from "./sources/shell-assignments.ts";

type Dns = Identity["dns"];

export interface ResolverReading {
  interfaces: Identity["interfaces"];
  /** Of the whole system: what a person set, and not a lease. */
  dns: Dns;
  /** Everything in effect; undefined when there is no resolv.conf that tells. */
  resolver?: Dns;
  problems: Problem[];
}

const ownPath = "/etc/resolv.conf";

/**
 * Names shall resolve on the new system as they did. resolv.conf says how they did; who wrote it decides whether its
 * servers are settings, or a lease's, which the new system gets from its own lease. `configured` is what other files say.
 */
export function readResolver(
  files: ConfigFiles,
  source: NetworkSource,
  interfaces: Identity["interfaces"],
  configured: Dns,
): ResolverReading {
  const path = [...files.keys()].find((one) => one === ownPath || isRuntimeResolvConf(one));
  if (path === undefined) return { interfaces, dns: configured, problems: [] };
  const found = parseResolvConf(files.get(path) ?? "");
  const inEffect: Dns = { servers: found.servers, searchDomains: found.searchDomains };
  const resolver = inEffect.servers.length > 0 ? { resolver: inEffect } : {};
  if (writtenBy(path, files))
    return { interfaces, dns: joined(configured, inEffect), ...resolver, problems: [] };
  const unread = path === ownPath && isUnreadBy(source, found.isGenerated) && found.servers.length > 0;
  const used = unread ? withoutUnused(interfaces, inEffect) : { interfaces, problems: [] };
  if (path === ownPath && isHandWritten(found.isGenerated, source, files, interfaces)) {
    const problems = [...used.problems, ...notCarried(found.local, found.others)];
    // Programs see this file and nothing else: what other files say beside it was not in effect.
    const dns = found.servers.length > 0 ? inEffect : joined(configured, inEffect);
    return { interfaces: used.interfaces, dns, ...resolver, problems };
  }
  const isLeased = leaseTest(files, interfaces);
  const settings: Dns = {
    servers: found.servers.filter((server) => !isLeased(server, familyOf(server))),
    searchDomains: found.searchDomains.filter((domain) => !isLeased(domain, 4) && !isLeased(domain, 6)),
  };
  return {
    interfaces: used.interfaces,
    dns: joined(configured, settings),
    ...resolver,
    problems: used.problems,
  };
}

/** Of a program that keeps the text in /run and makes /etc/resolv.conf a link to it. */
export function isRuntimeResolvConf(path: string): boolean {
  return /^\/run\/(.*\/)?(stub-)?resolv\.conf$/.test(path);
}

/** networkd leaves `DNS=` to resolved, ifupdown `dns-nameservers` to resolvconf: beside a plain file nobody reads them. */
function isUnreadBy(source: NetworkSource, isGenerated: boolean): boolean {
  return source === "networkd" || (source === "ifupdown" && !isGenerated);
}

/** On the new system somebody may read them, and names would resolve in another way than they did. */
function withoutUnused(
  interfaces: Identity["interfaces"],
  inEffect: Dns,
): { interfaces: Identity["interfaces"]; problems: Problem[] } {
  const problems: Problem[] = [];
  const keep = (name: string, what: string, words: readonly string[], used: readonly string[]): string[] => {
    for (const word of words.filter((one) => !used.includes(one))) {
      problems.push({
        code: "network-setting-not-carried",
        message: `${what} ${word} of interface ${name} is not in use: /etc/resolv.conf does not name it`,
        hint: "Add it to /etc/resolv.conf if names are to be resolved by it.",
      });
    }
    return words.filter((word) => used.includes(word));
  };
  return {
    interfaces: interfaces.map((one) => ({
      ...one,
      dnsServers: keep(one.name, "name server", one.dnsServers, inEffect.servers),
      searchDomains: keep(one.name, "search domain", one.searchDomains, inEffect.searchDomains),
    })),
    problems,
  };
}

function isHandWritten(
  isGenerated: boolean,
  source: NetworkSource,
  files: ConfigFiles,
  interfaces: Identity["interfaces"],
): boolean {
  switch (source) {
    case "networkd":
      // It writes no such file, and resolved only behind a link.
      return true;
    case "ifcfg":
      return !isGenerated || everyLeaseWithoutDns(files);
    case "ifupdown":
      // Debian's dhclient-script does not sign what it writes.
      return !isGenerated && !interfaces.some((one) => one.ipv4 === "dhcp" || one.ipv6 === "dhcp");
    case "networkmanager":
    case "kernel":
      return !isGenerated;
  }
}

/** PEERDNS=no keeps a lease's servers out, whoever once wrote the first line. */
function everyLeaseWithoutDns(files: ConfigFiles): boolean {
  const leased = ifcfgPaths(files)
    .map((path) => parseShellAssignments(files.get(path) ?? ""))
    .filter((values) => /^(dhcp|bootp)$/i.test(values.get("BOOTPROTO") ?? ""));
  return (
    leased.length > 0 && leased.every((values) => /^(no|n|false|f|0|off)$/i.test(values.get("PEERDNS") ?? ""))
  );
}

/** Only a lease (or a router's advertisement) of its family can bring a server; dhclient's own records tell which. */
function leaseTest(
  files: ConfigFiles,
  interfaces: Identity["interfaces"],
): (word: string, family: 4 | 6) => boolean {
  const families = new Set<4 | 6>([
    ...(interfaces.some((one) => one.ipv4 === "dhcp") ? [4 as const] : []),
    ...(interfaces.some((one) => one.ipv6 === "dhcp" || one.ipv6 === "auto") ? [6 as const] : []),
  ]);
  const leases = [...files].filter(([path]) => path.startsWith("/var/lib/dhcp/")).map(([, text]) => text);
  const words = new Set(leases.flatMap(leaseWords));
  return (word, family) => families.has(family) && (words.size === 0 || words.has(word));
}

function leaseWords(text: string): string[] {
  return [
    ...text.matchAll(
      /^\s*option (?:domain-name(?:-servers)?|domain-search|dhcp6\.(?:name-servers|domain-search)) ([^;]*);/gm,
    ),
  ].flatMap(([, value = ""]) =>
    value
      .split(/[\s,"]+/)
      .filter(Boolean)
      .map((word) => word.replace(/\.$/, "")),
  );
}

function joined(a: Dns, b: Dns): Dns {
  return {
    servers: [...a.servers, ...b.servers],
    searchDomains: [...a.searchDomains, ...b.searchDomains],
  };
}

function notCarried(local: readonly string[], others: readonly string[]): Problem[] {
  const problem = (message: string, hint: string): Problem => ({
    code: "network-setting-not-carried",
    message,
    hint,
    where: ownPath,
  });
  return [
    ...local
      .filter((server) => server !== "127.0.0.53")
      .map((server) =>
        problem(
          `name server ${server} is a program of the old system and is not carried`,
          "Name the servers it asks in the network configuration, or have such a program in the release.",
        ),
      ),
    ...others.map((text) =>
      problem(`"${text}" is not carried to the new system`, "Configure it in the release if names need it."),
    ),
  ];
}
