import type { NetworkInterface } from "../../../format/identity.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { settings } from "./resolv-conf.ts";

/**
 * What the old system did with name servers that a lease or a router brought: it used them alone (`followed`), beside settings of
 * its own (`merged`), or not at all (`ignored`, also where settings are there and it is not known).
 */
export function leaseDns(network: NetworkIdentity): "followed" | "merged" | "ignored" {
  const { servers, searchDomains } = settings(network);
  if (servers.length === 0) return searchDomains.length === 0 ? "followed" : "merged";
  return network.resolver?.servers.some((server) => !servers.includes(server)) === true
    ? "merged"
    : "ignored";
}

/** Whether this interface must be told to leave the lease's name servers alone. */
export function ignoresLeaseDns(network: NetworkIdentity, one: NetworkInterface): boolean {
  if (network.resolver === undefined) return one.dnsServers.length > 0;
  const isLeased = one.ipv4 === "dhcp" || one.ipv6 === "dhcp" || one.ipv6 === "auto";
  return leaseDns(network) === "ignored" && (isLeased || one.dnsServers.length > 0);
}
