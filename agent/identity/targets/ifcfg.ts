import type { NetworkInterface, Route } from "../../../format/identity.ts";
import { familyOf } from "../addresses.ts";
import { writtenByMarker, type TargetFile } from "../config-files.ts";
import { globalDnsFile } from "./global-dns.ts";
import { ignoresLeaseDns } from "./lease-dns.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { renderResolvConf } from "./resolv-conf.ts";
import { ipRouteWords, plainDefault } from "./route-words.ts";

const folder = "/etc/sysconfig/network-scripts";

/** initscripts and NetworkManager's ifcfg plugin; HWADDR ties a file to its card. */
export function renderIfcfg(network: NetworkIdentity): TargetFile[] {
  const resolvConf = renderResolvConf(network);
  return [
    ...network.interfaces.flatMap((one) => interfaceFiles(one, ignoresLeaseDns(network, one))),
    ...globalDnsFile(network),
    ...(resolvConf === undefined ? [] : [{ path: "/etc/resolv.conf", mode: 0o644, content: resolvConf }]),
  ];
}

function interfaceFiles(one: NetworkInterface, ignoresLease: boolean): TargetFile[] {
  const gateway4 = plainDefault(one.routes, 4);
  const gateway6 = plainDefault(one.routes, 6);
  const addresses4 = one.addresses.filter((address) => familyOf(address) === 4);
  const addresses6 = one.addresses.filter((address) => familyOf(address) === 6);
  const lines = [
    writtenByMarker,
    "TYPE=Ethernet",
    `DEVICE=${one.name}`,
    `NAME=${one.name}`,
    "ONBOOT=yes",
    ...(one.macAddress === undefined ? [] : [`HWADDR=${one.macAddress}`]),
    ...(one.assignedMacAddress === undefined ? [] : [`MACADDR=${one.assignedMacAddress}`]),
    ...(one.mtu === undefined ? [] : [`MTU=${one.mtu}`]),
    `BOOTPROTO=${one.ipv4 === "dhcp" ? "dhcp" : "none"}`,
    ...addresses4.flatMap((cidr, index) => {
      const [address = "", prefix = ""] = cidr.split("/");
      // initscripts read the first without a number.
      const suffix = index === 0 ? "" : String(index);
      return [`IPADDR${suffix}=${address}`, `PREFIX${suffix}=${prefix}`];
    }),
    ...(gateway4 === undefined ? [] : [`GATEWAY=${gateway4.gateway}`]),
    ...ipv6Lines(one, addresses6),
    ...(gateway6 === undefined
      ? []
      : [
          `IPV6_DEFAULTGW=${gateway6.gateway}${gateway6.gateway?.startsWith("fe80:") === true ? `%${one.name}` : ""}`,
        ]),
    // Servers of a lease would otherwise push the old system's out of resolv.conf.
    ...(ignoresLease ? ["PEERDNS=no"] : []),
    ...one.dnsServers.map((server, index) => `DNS${index + 1}=${server}`),
    ...(one.searchDomains.length > 0 ? [`DOMAIN="${one.searchDomains.join(" ")}"`] : []),
  ];
  const rest = one.routes.filter((route) => route !== gateway4 && route !== gateway6);
  return [
    { path: `${folder}/ifcfg-${one.name}`, mode: 0o644, content: `${lines.join("\n")}\n` },
    ...routeFile(
      one.name,
      "route",
      rest.filter((route) => familyOf(route.destination) === 4),
    ),
    ...routeFile(
      one.name,
      "route6",
      rest.filter((route) => familyOf(route.destination) === 6),
    ),
  ];
}

function ipv6Lines(one: NetworkInterface, addresses: readonly string[]): string[] {
  if (one.ipv6 === "none") return ["IPV6INIT=no"];
  return [
    "IPV6INIT=yes",
    `IPV6_AUTOCONF=${one.ipv6 === "auto" ? "yes" : "no"}`,
    ...(one.ipv6 === "dhcp" ? ["DHCPV6C=yes"] : []),
    ...(addresses.length > 0 ? [`IPV6ADDR=${addresses[0]}`] : []),
    ...(addresses.length > 1 ? [`IPV6ADDR_SECONDARIES="${addresses.slice(1).join(" ")}"`] : []),
  ];
}

function routeFile(name: string, kind: "route" | "route6", routes: readonly Route[]): TargetFile[] {
  if (routes.length === 0) return [];
  const content = [writtenByMarker, ...routes.map((route) => ipRouteWords(route, name)), ""].join("\n");
  return [{ path: `${folder}/${kind}-${name}`, mode: 0o644, content }];
}
