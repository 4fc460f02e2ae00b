import type { Identity, NetworkInterface, Route } from "../../format/identity.ts";
import { familyOf } from "./addresses.ts";

/**
 * One form for settings that mean the same, which every target format can express:
 * modes agree with addresses, IPv4 stands before IPv6, routes are sorted, name servers of a family the interface
 * does not have are system-wide, and system-wide lists do not repeat what an interface already says.
 */
export function normalizeIdentity(identity: Identity): Identity {
  const { interfaces, dns } = normalizeNetwork(identity.interfaces, identity.dns);
  return { ...identity, interfaces, dns };
}

export function normalizeNetwork(
  interfaces: readonly NetworkInterface[],
  dns: Identity["dns"],
): { interfaces: NetworkInterface[]; dns: Identity["dns"] } {
  const servers = [...dns.servers];
  const searchDomains = [...dns.searchDomains];
  const normalized = interfaces.map((one) => {
    const ipv4 = modeOf(one.ipv4, one.addresses, 4);
    const ipv6 = modeOf(one.ipv6, one.addresses, 6);
    const has = (text: string): boolean => (familyOf(text) === 4 ? ipv4 : ipv6) !== "none";
    servers.push(...one.dnsServers.filter((server) => !has(server)));
    const connected = ipv4 !== "none" || ipv6 !== "none";
    if (!connected) searchDomains.push(...one.searchDomains);
    return {
      ...one,
      ipv4,
      ipv6,
      addresses: byFamily(unique(one.addresses)),
      routes: sortRoutes(one.routes.filter((route) => has(route.destination))),
      dnsServers: byFamily(unique(one.dnsServers.filter(has))),
      searchDomains: connected ? unique(one.searchDomains) : [],
    };
  });
  const ownServers = new Set(normalized.flatMap((one) => one.dnsServers));
  const ownDomains = new Set(normalized.flatMap((one) => one.searchDomains));
  return {
    interfaces: normalized.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    dns: {
      servers: unique(servers).filter((server) => !ownServers.has(server)),
      searchDomains: unique(searchDomains).filter((domain) => !ownDomains.has(domain)),
    },
  };
}

function modeOf<Mode extends string>(
  mode: Mode,
  addresses: readonly string[],
  family: 4 | 6,
): Mode | "static" | "none" {
  if (mode !== "none" && mode !== "static") return mode;
  return addresses.some((address) => familyOf(address) === family) ? "static" : "none";
}

function byFamily(list: readonly string[]): string[] {
  return [...list.filter((text) => familyOf(text) === 4), ...list.filter((text) => familyOf(text) === 6)];
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}

function sortRoutes(routes: readonly Route[]): Route[] {
  const seen = new Map<string, Route>();
  for (const route of routes) {
    const key = `${familyOf(route.destination)} ${route.destination} ${String(route.metric ?? 0).padStart(10, "0")} ${route.gateway ?? ""}`;
    if (!seen.has(key)) seen.set(key, route);
  }
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route);
}
