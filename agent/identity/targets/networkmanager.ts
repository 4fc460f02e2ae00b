import { createHash } from "node:crypto";
import type { NetworkInterface } from "../../../format/identity.ts";
import { familyOf } from "../addresses.ts";
import { writtenByMarker, type TargetFile } from "../config-files.ts";
import { globalDnsFile } from "./global-dns.ts";
import { ignoresLeaseDns } from "./lease-dns.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { plainDefault } from "./route-words.ts";

/** Keyfiles: NetworkManager reads only files of mode 0600 that root owns. */
export function renderNetworkManager(network: NetworkIdentity): TargetFile[] {
  return [
    ...network.interfaces.map((one) => ({
      path: `/etc/NetworkManager/system-connections/dualroot-${one.name}.nmconnection`,
      mode: 0o600,
      content: keyfile(one, ignoresLeaseDns(network, one)),
    })),
    ...globalDnsFile(network),
  ];
}

function keyfile(one: NetworkInterface, ignoresLease: boolean): string {
  const hardware = [
    ...(one.macAddress === undefined ? [] : [`mac-address=${one.macAddress.toUpperCase()}`]),
    ...(one.assignedMacAddress === undefined
      ? []
      : [`cloned-mac-address=${one.assignedMacAddress.toUpperCase()}`]),
    ...(one.mtu === undefined ? [] : [`mtu=${one.mtu}`]),
  ];
  return [
    writtenByMarker,
    "[connection]",
    `id=dualroot-${one.name}`,
    `uuid=${stableUuid(one.name)}`,
    "type=ethernet",
    // With a MAC address the card is found by it under whatever name it has.
    ...(one.macAddress === undefined ? [`interface-name=${one.name}`] : []),
    "autoconnect=true",
    "autoconnect-priority=999",
    ...(hardware.length > 0 ? ["", "[ethernet]", ...hardware] : []),
    "",
    "[ipv4]",
    `method=${{ none: "disabled", dhcp: "auto", static: "manual" }[one.ipv4]}`,
    ...familyLines(one, 4, { carriesDomains: one.ipv4 !== "none", ignoresLease }),
    "",
    "[ipv6]",
    `method=${{ none: "disabled", auto: "auto", dhcp: "dhcp", static: "manual" }[one.ipv6]}`,
    ...familyLines(one, 6, { carriesDomains: one.ipv4 === "none", ignoresLease }),
    "",
  ].join("\n");
}

function familyLines(
  one: NetworkInterface,
  family: 4 | 6,
  { carriesDomains, ignoresLease }: { carriesDomains: boolean; ignoresLease: boolean },
): string[] {
  const addresses = one.addresses.filter((address) => familyOf(address) === family);
  const servers = one.dnsServers.filter((server) => familyOf(server) === family);
  const automatic = family === 4 ? one.ipv4 === "dhcp" : one.ipv6 === "dhcp" || one.ipv6 === "auto";
  // NetworkManager takes `gateway` only together with an address.
  const gateway = addresses.length > 0 ? plainDefault(one.routes, family) : undefined;
  const routes = one.routes.filter((route) => familyOf(route.destination) === family && route !== gateway);
  return [
    ...addresses.map((address, index) => `address${index + 1}=${address}`),
    ...(gateway === undefined ? [] : [`gateway=${gateway.gateway}`]),
    ...routes.map((route, index) => {
      const unspecified = family === 4 ? "0.0.0.0" : "::";
      const metric = route.metric === undefined ? "" : `,${route.metric}`;
      const via =
        route.gateway === undefined ? (metric === "" ? "" : `,${unspecified}`) : `,${route.gateway}`;
      return `route${index + 1}=${route.destination}${via}${metric}`;
    }),
    ...(servers.length > 0 ? [`dns=${servers.map((server) => `${server};`).join("")}`] : []),
    ...(ignoresLease && (servers.length > 0 || automatic) ? ["ignore-auto-dns=true"] : []),
    ...(carriesDomains && one.searchDomains.length > 0
      ? [`dns-search=${one.searchDomains.map((domain) => `${domain};`).join("")}`]
      : []),
  ];
}

/** The same for the same name in every run: a version 8 UUID from its digest. */
function stableUuid(name: string): string {
  const hex = createHash("sha256").update(`dualroot connection ${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
