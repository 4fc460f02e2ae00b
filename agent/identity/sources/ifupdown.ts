import type { Problem } from "../../../format/errors.ts";
import { classfulPrefix, defaultDestination, familyOf, parsePrefix } from "../addresses.ts";
import type { ConfigFiles, NetworkReading } from "../config-files.ts";
import {
  foreignKindOfName,
  InterfaceBuilder,
  interfaceKindNotCarried,
  isPlainInterfaceName,
  unreadableValue,
} from "../interface-builder.ts";
import { parseIfupdownStanzas, type IfaceStanza } from "./ifupdown-stanzas.ts";
import { parseRouteCommand } from "./ip-route-command.ts";
import { linkMacAddresses } from "./networkd-links.ts";

const harmless = new Set([
  "broadcast",
  "network",
  "pointopoint",
  "scope",
  "privext",
  "accept_ra",
  "autoconf",
  "dad-attempts",
]);
const harmlessMore = new Set([
  "hostname",
  "client",
  "leasehours",
  "leasetime",
  "vendor",
  "request_prefix",
  "preferred-lifetime",
  "media",
]);

/** Debian's /etc/network/interfaces, see interfaces(5). */
export function parseIfupdown(files: ConfigFiles): NetworkReading {
  const { stanzas, started, problems } = parseIfupdownStanzas(files);
  const macAddresses = linkMacAddresses(files);
  const interfaces = new Map<string, InterfaceBuilder>();
  for (const stanza of stanzas) {
    const name = stanza.name.split(":")[0] ?? "";
    if (name === "lo" || stanza.name === "") continue;
    if (!isPlainInterfaceName(name)) {
      problems.push(unreadableValue("interface name", stanza.name, stanza.where));
      continue;
    }
    if (!started.has(stanza.name) && !started.has(name)) {
      problems.push(notStarted(stanza));
      continue;
    }
    const kind = foreignKind(stanza, name);
    if (kind !== undefined) {
      problems.push(interfaceKindNotCarried(name, kind, stanza.where));
      continue;
    }
    const builder = interfaces.get(name) ?? new InterfaceBuilder(name, stanza.where, problems);
    interfaces.set(name, builder);
    const mac = macAddresses.get(name);
    if (mac !== undefined) builder.result.macAddress = mac;
    readStanza(builder, stanza);
  }
  return {
    interfaces: [...interfaces.values()].map((one) => one.result),
    dns: { servers: [], searchDomains: [] },
    problems,
  };
}

function readStanza(builder: InterfaceBuilder, stanza: IfaceStanza): void {
  const one = builder.result;
  const family = stanza.family === "inet6" ? 6 : 4;
  if (stanza.family !== "inet" && stanza.family !== "inet6")
    return builder.unreadable("address family", stanza.family);
  if (stanza.method === "dhcp") {
    if (family === 4) one.ipv4 = "dhcp";
    else one.ipv6 = "dhcp";
  } else if (stanza.method === "auto" && family === 6) {
    if (one.ipv6 !== "dhcp") one.ipv6 = "auto";
  } else if (!["static", "manual", "v4tunnel", "6to4"].includes(stanza.method)) {
    builder.unreadable("method", stanza.method);
  }
  const value = (key: string): string | undefined =>
    stanza.options.find((option) => option.key === key)?.value;
  const netmask = value("netmask");
  for (const { key, value: text } of stanza.options) {
    if (key === "address") readAddress(builder, text, netmask, family);
    else if (key === "gateway") builder.route(defaultDestination(family), text, value("metric"));
    else if (key === "dns-nameservers" || key === "dns-nameserver") {
      for (const server of text.split(/\s+/).filter(Boolean)) builder.dnsServer(server);
    } else if (key === "dns-search" || key === "dns-domain") {
      for (const domain of text.split(/\s+/).filter(Boolean)) builder.searchDomain(domain);
    } else if (key === "mtu") builder.mtu(text);
    else if (key === "hwaddress") builder.assignedMacAddress(text.replace(/^ether\s+/, ""));
    else if (["up", "post-up", "pre-up"].includes(key)) readCommand(builder, text);
    else if (
      !["netmask", "metric", "down", "pre-down", "post-down"].includes(key) &&
      !harmless.has(key) &&
      !harmlessMore.has(key)
    ) {
      builder.notCarried(`"${key} ${text.slice(0, 200)}"`);
    }
  }
}

function readAddress(
  builder: InterfaceBuilder,
  text: string,
  netmask: string | undefined,
  family: 4 | 6,
): void {
  if (text.includes("/")) return builder.address(text);
  const prefix =
    netmask === undefined
      ? family === 4
        ? classfulPrefix(text)
        : 64
      : parsePrefix(netmask.replace(/^\//, ""));
  if (prefix === undefined || Number.isNaN(prefix) || familyOf(text) !== family)
    builder.unreadable("address", `${text} ${netmask ?? ""}`);
  else builder.address(text, prefix);
}

/** Commands of `up` lines that say what an option could: MTU, further addresses, routes, the link itself. */
function readCommand(builder: InterfaceBuilder, text: string): void {
  const command = text
    .replace(/\s*\|\|\s*(true|:|\/bin\/true)\s*$/, "")
    .replace(/^(\/usr)?\/s?bin\//, "")
    .trim();
  const mtu = /^(?:ip link set (?:dev )?\S+|ifconfig \S+) mtu (\d+)$/.exec(command)?.[1];
  if (mtu !== undefined) return builder.mtu(mtu);
  const address = /^ip (?:-[46] )?a(?:ddr(?:ess)?)? (?:add|replace) ([0-9a-fA-F.:]+\/\d+) dev \S+$/.exec(
    command,
  )?.[1];
  if (address !== undefined) return builder.address(address);
  const route = parseRouteCommand(command);
  if (route !== undefined) return builder.route(route.destination, route.gateway, route.metric);
  // Bringing the link up is what the target does anyway.
  if (/^(?:ip link set (?:dev )?\S+ up|ifconfig \S+ up)$/.test(command)) return;
  builder.notCarried(`command "${text.slice(0, 200)}"`);
}

function foreignKind(stanza: IfaceStanza, name: string): string | undefined {
  const has = (pattern: RegExp): boolean => stanza.options.some((option) => pattern.test(option.key));
  if (has(/^(bond[-_]slaves|bond[-_]mode|slaves)$/)) return "a bond";
  if (has(/^bond[-_]master$/)) return "part of a bond";
  if (has(/^bridge[-_]ports$/)) return "a bridge";
  if (has(/^vlan[-_](raw[-_]device|id)$/)) return "a VLAN";
  if (has(/^wpa-/) || has(/^wireless-/)) return "wireless";
  if (["ppp", "wvdial", "tunnel", "v4tunnel", "6to4"].includes(stanza.method))
    return `of method ${stanza.method}`;
  return foreignKindOfName(name);
}

function notStarted(stanza: IfaceStanza): Problem {
  return {
    code: "interface-not-active",
    message: `interface ${stanza.name} is not started at boot (no auto line) and is not carried`,
    hint: "Add an auto line if the new system needs it.",
    where: stanza.where,
  };
}
