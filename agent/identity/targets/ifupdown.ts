import type { NetworkInterface } from "../../../format/identity.ts";
import { familyOf } from "../addresses.ts";
import { writtenByMarker, type TargetFile } from "../config-files.ts";
import { leaseDns } from "./lease-dns.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { renderResolvConf, settings, usesDhcp } from "./resolv-conf.ts";
import { ipRouteWords, plainDefault } from "./route-words.ts";

/** Debian's interfaces file, complete: nothing else is sourced, so nothing of the image can contradict it. */
export function renderIfupdown(network: NetworkIdentity): TargetFile[] {
  const content = [
    `${writtenByMarker}: the old system's network`,
    "auto lo",
    "iface lo inet loopback",
    ...network.interfaces.flatMap((one) => ["", `auto ${one.name}`, ...stanzas(one)]),
    "",
  ].join("\n");
  const resolvConf = renderResolvConf(network);
  return [
    { path: "/etc/network/interfaces", mode: 0o644, content },
    ...network.interfaces.flatMap(linkFile),
    ...(resolvConf === undefined ? [] : [{ path: "/etc/resolv.conf", mode: 0o644, content: resolvConf }]),
    ...(usesDhcp(network) ? dhclientHook(network) : []),
  ];
}

/** One stanza for each address: the form every ifupdown since Debian 7 reads. */
function stanzas(one: NetworkInterface): string[] {
  const lines: string[] = [];
  const addresses = (family: 4 | 6): string[] =>
    one.addresses.filter((address) => familyOf(address) === family);
  const families = [
    { family: 4 as const, word: "inet", mode: one.ipv4 === "dhcp" ? "dhcp" : undefined },
    {
      family: 6 as const,
      word: "inet6",
      mode: one.ipv6 === "dhcp" ? "dhcp" : one.ipv6 === "auto" ? "auto" : undefined,
    },
  ];
  let first = true;
  for (const { family, word, mode } of families) {
    // A static inet6 stanza would switch off the router advertisements that auto and dhcp live by.
    const beside = family === 6 && mode !== undefined;
    const methods: { method: string; address?: string }[] = [
      ...(mode === undefined ? [] : [{ method: mode }]),
      ...(beside ? [] : addresses(family).map((address) => ({ method: "static", address }))),
    ];
    // An interface must have some stanza to be brought up at all.
    if (methods.length === 0 && family === 4 && one.ipv6 === "none") methods.push({ method: "manual" });
    for (const [index, { method, address }] of methods.entries()) {
      lines.push(`iface ${one.name} ${word} ${method}`);
      if (address !== undefined) lines.push(`    address ${address}`);
      if (first) lines.push(...commonOptions(one));
      first = false;
      // Routes come with the last stanza, when every address they may need is there.
      if (index < methods.length - 1) continue;
      if (beside)
        lines.push(...addresses(6).map((each) => `    up ip -6 addr add ${each} dev ${one.name} || true`));
      lines.push(...familyRoutes(one, family, !beside && addresses(family).length > 0));
    }
  }
  return lines;
}

function commonOptions(one: NetworkInterface): string[] {
  return [
    ...(one.assignedMacAddress === undefined ? [] : [`    hwaddress ether ${one.assignedMacAddress}`]),
    // `mtu` is no option of every method.
    ...(one.mtu === undefined ? [] : [`    pre-up ip link set dev ${one.name} mtu ${one.mtu}`]),
    ...(one.dnsServers.length === 0 ? [] : [`    dns-nameservers ${one.dnsServers.join(" ")}`]),
    ...(one.searchDomains.length === 0 ? [] : [`    dns-search ${one.searchDomains.join(" ")}`]),
  ];
}

/** `gateway` is an option of static stanzas only. */
function familyRoutes(one: NetworkInterface, family: 4 | 6, isStatic: boolean): string[] {
  const gateway = isStatic ? plainDefault(one.routes, family) : undefined;
  return [
    ...(gateway === undefined ? [] : [`    gateway ${gateway.gateway}`]),
    ...one.routes
      .filter((route) => familyOf(route.destination) === family && route !== gateway)
      .map(
        (route) =>
          `    up ip ${family === 6 ? "-6 " : ""}route replace ${ipRouteWords(route, one.name)} || true`,
      ),
  ];
}

/** ifupdown knows interfaces by name only: udev gives the card its old name back. */
function linkFile(one: NetworkInterface): TargetFile[] {
  if (one.macAddress === undefined) return [];
  const content = [
    `${writtenByMarker}: the card's name on the old system`,
    "[Match]",
    `MACAddress=${one.macAddress}`,
    // A VLAN or bridge on top has the same address.
    "Type=ether",
    "",
    "[Link]",
    `Name=${one.name}`,
    "",
  ].join("\n");
  return [{ path: `/etc/systemd/network/05-dualroot-${one.name}.link`, mode: 0o644, content }];
}

/** dhclient writes resolv.conf from the lease alone, unless its script is told otherwise. */
function dhclientHook(network: NetworkIdentity): TargetFile[] {
  const use = leaseDns(network);
  if (use === "followed") return [];
  const lines =
    use === "ignored"
      ? [
          `${writtenByMarker}: /etc/resolv.conf holds the old system's own name servers`,
          "make_resolv_conf() { :; }",
        ]
      : [
          `${writtenByMarker}: the old system's own name servers before those of the lease`,
          ...prepended(network),
        ];
  return [
    {
      path: "/etc/dhcp/dhclient-enter-hooks.d/dualroot-resolv-conf",
      mode: 0o644,
      content: `${lines.join("\n")}\n`,
    },
  ];
}

/** Variables that dhclient-script makes resolv.conf of; one without a value says that the lease is of the other family. */
function prepended(network: NetworkIdentity): string[] {
  const { servers, searchDomains } = settings(network);
  const before = (name: string, words: readonly string[], rest: string): string[] =>
    words.length === 0 ? [] : [`[ -z "\$${name}" ] || ${rest}`];
  return [
    ...before(
      "new_domain_name_servers",
      searchDomains,
      `new_domain_search="${searchDomains.join(" ")} \${new_domain_search:-$new_domain_name}"`,
    ),
    ...before(
      "new_dhcp6_name_servers",
      searchDomains,
      `new_dhcp6_domain_search="${searchDomains.join(" ")} $new_dhcp6_domain_search"`,
    ),
    ...["new_domain_name_servers", "new_dhcp6_name_servers"].flatMap((name) =>
      before(name, servers, `${name}="${servers.join(" ")} $${name}"`),
    ),
  ];
}
