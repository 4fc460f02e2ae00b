import { writtenByMarker } from "../config-files.ts";
import type { Identity } from "../../../format/identity.ts";
import type { NetworkIdentity } from "./network-identity.ts";

/**
 * An /etc/resolv.conf by which names resolve as on the old system; glibc reads the first three servers. Where a DHCP client
 * writes the file, it is good until the first lease.
 */
export function renderResolvConf(network: NetworkIdentity): string | undefined {
  const { servers, searchDomains } = effectiveDns(network);
  if (servers.length === 0 && searchDomains.length === 0) return undefined;
  return [
    `${writtenByMarker}: name servers of the old system`,
    ...(searchDomains.length > 0 ? [`search ${searchDomains.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    "",
  ].join("\n");
}

/** What was in effect, in its order, then system-wide settings that are not among it; all settings where that is not known. */
export function effectiveDns(network: NetworkIdentity): Identity["dns"] {
  const { resolver, dns } = network;
  if (resolver === undefined) return settings(network);
  return {
    servers: [...new Set([...resolver.servers, ...dns.servers])],
    searchDomains: onlySearched([...resolver.searchDomains, ...dns.searchDomains]),
  };
}

/** Every name server and search domain that somebody configured. */
export function settings({ interfaces, dns }: NetworkIdentity): Identity["dns"] {
  return {
    servers: [...new Set([...interfaces.flatMap((one) => one.dnsServers), ...dns.servers])],
    searchDomains: onlySearched([...interfaces.flatMap((one) => one.searchDomains), ...dns.searchDomains]),
  };
}

/** `~domain` routes queries in resolved; it is no search domain anywhere else. */
function onlySearched(domains: readonly string[]): string[] {
  return [...new Set(domains)].filter((domain) => !domain.startsWith("~"));
}

export function usesDhcp(network: NetworkIdentity): boolean {
  return network.interfaces.some((one) => one.ipv4 === "dhcp" || one.ipv6 === "dhcp");
}
