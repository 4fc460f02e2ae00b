import type { NetworkInterface } from "../../../format/identity.ts";
import { writtenByMarker, type TargetFile } from "../config-files.ts";
import { ignoresLeaseDns } from "./lease-dns.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { renderResolvConf } from "./resolv-conf.ts";

/** `05-` sorts before what images ship (10-, 20-, 80-); the first file that matches a card is the only one that counts. */
export function renderNetworkd(network: NetworkIdentity): TargetFile[] {
  const resolvConf = renderResolvConf(network);
  return [
    ...network.interfaces.map((one) => ({
      path: `/etc/systemd/network/05-dualroot-${one.name}.network`,
      mode: 0o644,
      content: networkFile(one, ignoresLeaseDns(network, one)),
    })),
    ...resolvedFile(network),
    // For a target without systemd-resolved; restore leaves resolv.conf to resolved where it runs.
    ...(resolvConf === undefined ? [] : [{ path: "/etc/resolv.conf", mode: 0o644, content: resolvConf }]),
  ];
}

function networkFile(one: NetworkInterface, ignoresLease: boolean): string {
  const dhcp =
    one.ipv4 === "dhcp" ? (one.ipv6 === "dhcp" ? "yes" : "ipv4") : one.ipv6 === "dhcp" ? "ipv6" : "no";
  const link = [
    ...(one.assignedMacAddress === undefined ? [] : [`MACAddress=${one.assignedMacAddress}`]),
    ...(one.mtu === undefined ? [] : [`MTUBytes=${one.mtu}`]),
  ];
  return [
    writtenByMarker,
    "[Match]",
    ...match(one),
    ...(link.length > 0 ? ["", "[Link]", ...link] : []),
    "",
    "[Network]",
    `DHCP=${dhcp}`,
    `IPv6AcceptRA=${one.ipv6 === "auto" || one.ipv6 === "dhcp" ? "yes" : "no"}`,
    ...one.addresses.map((address) => `Address=${address}`),
    ...one.dnsServers.map((server) => `DNS=${server}`),
    ...(one.searchDomains.length > 0 ? [`Domains=${one.searchDomains.join(" ")}`] : []),
    ...one.routes.flatMap((route) => [
      "",
      "[Route]",
      `Destination=${route.destination}`,
      ...(route.gateway === undefined ? ["Scope=link"] : [`Gateway=${route.gateway}`]),
      ...(route.metric === undefined ? [] : [`Metric=${route.metric}`]),
    ]),
    ...(ignoresLease ? withoutLeaseDns(one) : []),
    "",
  ].join("\n");
}

/** For resolved, which would ask the lease's name servers beside ours. */
function withoutLeaseDns(one: NetworkInterface): string[] {
  const sections = [
    ...(one.ipv4 === "dhcp" ? ["DHCPv4"] : []),
    ...(one.ipv6 === "dhcp" ? ["DHCPv6"] : []),
    ...(one.ipv6 === "dhcp" || one.ipv6 === "auto" ? ["IPv6AcceptRA"] : []),
  ];
  return sections.flatMap((section) => ["", `[${section}]`, "UseDNS=no"]);
}

/** By MAC address, because names change; once another one is assigned only the permanent one still matches. */
function match(one: NetworkInterface): string[] {
  if (one.macAddress === undefined) return [`Name=${one.name}`];
  // A VLAN or bridge on top has the same address, and must not get this file.
  return one.assignedMacAddress === undefined
    ? [`MACAddress=${one.macAddress}`, "Type=ether"]
    : [`PermanentMACAddress=${one.macAddress}`, "Type=ether"];
}

function resolvedFile(network: NetworkIdentity): TargetFile[] {
  const { servers, searchDomains } = network.dns;
  if (servers.length === 0 && searchDomains.length === 0) return [];
  const content = [
    writtenByMarker,
    "[Resolve]",
    ...(servers.length > 0 ? [`DNS=${servers.join(" ")}`] : []),
    ...(searchDomains.length > 0 ? [`Domains=${searchDomains.join(" ")}`] : []),
    "",
  ].join("\n");
  return [{ path: "/etc/systemd/resolved.conf.d/05-dualroot.conf", mode: 0o644, content }];
}
