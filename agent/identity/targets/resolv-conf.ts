import { writtenByMarker } from "../config-files.ts";
import type { NetworkIdentity } from "./network-identity.ts";

/** A static /etc/resolv.conf with every name server and domain of the old system; glibc reads the first three. */
export function renderResolvConf(network: NetworkIdentity): string | undefined {
  const { servers, searchDomains } = allDns(network);
  if (servers.length === 0 && searchDomains.length === 0) return undefined;
  return [
    `${writtenByMarker}: name servers of the old system`,
    ...(searchDomains.length > 0 ? [`search ${searchDomains.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    "",
  ].join("\n");
}

export function allDns(network: NetworkIdentity): { servers: string[]; searchDomains: string[] } {
  // `~domain` routes queries in resolved; it is no search domain anywhere else.
  const searchDomains = [
    ...network.interfaces.flatMap((one) => one.searchDomains),
    ...network.dns.searchDomains,
  ];
  return {
    servers: [...new Set([...network.interfaces.flatMap((one) => one.dnsServers), ...network.dns.servers])],
    searchDomains: [...new Set(searchDomains)].filter((domain) => !domain.startsWith("~")),
  };
}

export function usesDhcp(network: NetworkIdentity): boolean {
  return network.interfaces.some((one) => one.ipv4 === "dhcp" || one.ipv6 === "dhcp");
}
