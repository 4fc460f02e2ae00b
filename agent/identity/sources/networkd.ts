import type { Problem } from "../../../format/errors.ts";
import { defaultDestination, familyOf, parseMacAddress } from "../addresses.ts";
import type { ConfigFiles, NetworkReading } from "../config-files.ts";
import {
  foreignKindOfName,
  InterfaceBuilder,
  interfaceKindNotCarried,
  isPlainInterfaceName,
  isSearchDomain,
  unreadableValue,
} from "../interface-builder.ts";
import { parseAddress, parseZonedAddress } from "../addresses.ts";
import { allValues, lastValue, parseIniSections, type IniSection } from "./ini-sections.ts";
import { networkdFiles, type NetworkdFile } from "./networkd-files.ts";
import { matchNetworkFile } from "./networkd-match.ts";

export interface LiveInterface {
  name: string;
  macAddress?: string;
}

/** systemd-networkd: .network files with drop-ins (systemd.network(5)) and resolved's own settings. */
export function parseNetworkd(files: ConfigFiles, live: readonly LiveInterface[] = []): NetworkReading {
  const problems: Problem[] = [];
  for (const device of networkdFiles(files, ".netdev")) {
    const name = lastValue(device.sections, "NetDev", "Name") ?? device.name;
    problems.push(
      interfaceKindNotCarried(
        name,
        `a ${lastValue(device.sections, "NetDev", "Kind") ?? "virtual device"}`,
        device.path,
      ),
    );
  }
  const interfaces = new Map<string, InterfaceBuilder>();
  for (const file of networkdFiles(files, ".network")) {
    for (const { name, macAddress } of matchNetworkFile(file, files, live, problems)) {
      // The first file that matches an interface is the only one that counts.
      if (name === "lo" || interfaces.has(name)) continue;
      if (!isPlainInterfaceName(name)) {
        problems.push(unreadableValue("interface name", name, file.path));
        continue;
      }
      if (lastValue(file.sections, "Link", "Unmanaged") === "yes") continue;
      const kind = foreignKindOfName(name);
      if (kind !== undefined) {
        problems.push(interfaceKindNotCarried(name, kind, file.path));
        continue;
      }
      const builder = new InterfaceBuilder(name, file.path, problems);
      interfaces.set(name, builder);
      if (macAddress !== undefined) builder.result.macAddress = macAddress;
      readNetwork(builder, file);
    }
  }
  return {
    interfaces: [...interfaces.values()].map((one) => one.result),
    dns: resolvedDns(files, problems),
    problems,
  };
}

function readNetwork(builder: InterfaceBuilder, file: NetworkdFile): void {
  const { sections } = file;
  const one = builder.result;
  for (const key of [
    "VLAN",
    "Bond",
    "Bridge",
    "Tunnel",
    "MACVLAN",
    "IPVLAN",
    "VXLAN",
    "VRF",
    "BatmanAdvanced",
  ]) {
    for (const device of allValues(sections, "Network", key)) {
      builder.problems.push(interfaceKindNotCarried(one.name, `tied to ${key} ${device}`, file.path));
    }
  }
  readModes(builder, sections);
  for (const address of allValues(sections, "Network", "Address"))
    builder.address(address, familyOf(address) === 4 ? 32 : 128);
  for (const section of sections) {
    const value = (key: string): string | undefined =>
      section.entries.findLast((entry) => entry.key === key)?.value;
    const address = section.name === "Address" ? value("Address") : undefined;
    if (address) builder.address(address, familyOf(address) === 4 ? 32 : 128);
    if (section.name === "Route") readRoute(builder, value);
    if (section.name === "RoutingPolicyRule") builder.notCarried("a routing policy rule");
  }
  for (const gateway of allValues(sections, "Network", "Gateway")) {
    if (gateway.startsWith("_")) builder.notCarried(`Gateway=${gateway}`);
    else builder.route(defaultDestination(familyOf(gateway)), gateway);
  }
  for (const server of words(allValues(sections, "Network", "DNS"))) builder.dnsServer(plainServer(server));
  for (const domain of words(allValues(sections, "Network", "Domains"))) builder.searchDomain(domain);
  const mtu = lastValue(sections, "Link", "MTUBytes");
  if (mtu) builder.mtu(mtu);
  const assigned = lastValue(sections, "Link", "MACAddress");
  if (assigned && parseMacAddress(assigned) !== one.macAddress) builder.assignedMacAddress(assigned);
}

/** Without `IPv6AcceptRA=` router advertisements are accepted, unless IPv6 link-local addresses are off. */
function readModes(builder: InterfaceBuilder, sections: readonly IniSection[]): void {
  const dhcp = (lastValue(sections, "Network", "DHCP") ?? "no").toLowerCase();
  if (["yes", "true", "1", "on", "both", "ipv4", "v4"].includes(dhcp)) builder.result.ipv4 = "dhcp";
  const linkLocal = (lastValue(sections, "Network", "LinkLocalAddressing") ?? "ipv6").toLowerCase();
  const accept = (
    lastValue(sections, "Network", "IPv6AcceptRA") ??
    lastValue(sections, "Network", "IPv6AcceptRouterAdvertisements") ??
    (["no", "false", "0", "off", "ipv4"].includes(linkLocal) ? "no" : "yes")
  ).toLowerCase();
  if (["yes", "true", "1", "on", "both", "ipv6", "v6"].includes(dhcp)) builder.result.ipv6 = "dhcp";
  else if (["yes", "true", "1", "on"].includes(accept)) builder.result.ipv6 = "auto";
}

function readRoute(builder: InterfaceBuilder, value: (key: string) => string | undefined): void {
  const gateway = value("Gateway") || undefined;
  const type = value("Type") ?? "unicast";
  const table = value("Table") ?? "main";
  if (gateway?.startsWith("_") === true || type !== "unicast" || (table !== "main" && table !== "254")) {
    return builder.notCarried(
      `a route (${["Gateway", "Type", "Table"].map((key) => `${key}=${value(key) ?? ""}`).join(" ")})`,
    );
  }
  const destination =
    value("Destination") || (gateway === undefined ? undefined : defaultDestination(familyOf(gateway)));
  if (destination === undefined) return builder.unreadable("route", "");
  builder.route(destination, gateway, value("Metric"));
}

/** System-wide servers of systemd-resolved. */
function resolvedDns(files: ConfigFiles, problems: Problem[]): NetworkReading["dns"] {
  const paths = [...files.keys()]
    .filter((path) => /^\/(etc|run|usr\/lib)\/systemd\/resolved\.conf\.d\/[^/]+\.conf$/.test(path))
    .sort();
  const sections = ["/etc/systemd/resolved.conf", ...paths].flatMap((path) =>
    parseIniSections(files.get(path) ?? "", { continuation: true }),
  );
  const dns: NetworkReading["dns"] = { servers: [], searchDomains: [] };
  for (const text of words(allValues(sections, "Resolve", "DNS"))) {
    const server = parseZonedAddress(plainServer(text));
    if (server === undefined)
      problems.push(unreadableValue("name server", text, "/etc/systemd/resolved.conf"));
    else dns.servers.push(server);
  }
  for (const domain of words(allValues(sections, "Resolve", "Domains"))) {
    if (isSearchDomain(domain)) dns.searchDomains.push(domain);
    else problems.push(unreadableValue("search domain", domain, "/etc/systemd/resolved.conf"));
  }
  return dns;
}

/** resolved's `ADDRESS:PORT%INTERFACE#NAME`: the server name and port are its own business. */
function plainServer(text: string): string {
  const withoutName = text.split("#")[0] ?? "";
  if (parseAddress(withoutName) !== undefined) return withoutName;
  return (
    /^\[([^\]]+)\](?::\d+)?$/.exec(withoutName)?.[1] ??
    withoutName.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1")
  );
}

function words(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(/\s+/)).filter(Boolean);
}
