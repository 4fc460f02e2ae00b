import { writtenByMarker, type TargetFile } from "../config-files.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { leaseDns } from "./lease-dns.ts";
import { effectiveDns } from "./resolv-conf.ts";

/** System-wide servers. NetworkManager then ignores those of connections and leases, so all of them stand here. */
export function globalDnsFile(network: NetworkIdentity): TargetFile[] {
  if (network.dns.servers.length === 0 && network.dns.searchDomains.length === 0) return [];
  const { servers: all, searchDomains } = effectiveDns(network);
  // A search domain alone is no reason to stop following the lease.
  const servers = network.dns.servers.length > 0 || leaseDns(network) === "ignored" ? all : [];
  const content = [
    writtenByMarker,
    "[global-dns]",
    ...(searchDomains.length > 0 ? [`searches=${searchDomains.join(",")}`] : []),
    "",
    ...(servers.length > 0 ? ["[global-dns-domain-*]", `servers=${servers.join(",")}`, ""] : []),
  ].join("\n");
  return [{ path: "/etc/NetworkManager/conf.d/05-dualroot-dns.conf", mode: 0o644, content }];
}
