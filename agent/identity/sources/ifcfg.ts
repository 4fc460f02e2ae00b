import type { Problem } from "../../../format/errors.ts";
import type { NetworkInterface } from "../../../format/identity.ts";
import {
  classfulPrefix,
  defaultDestination,
  familyOf,
  parseMacAddress,
  parseCidr,
  parsePrefix,
} from "../addresses.ts";
import type { ConfigFiles, NetworkReading } from "../config-files.ts";
import {
  foreignKindOfName,
  InterfaceBuilder,
  interfaceKindNotCarried,
  isPlainInterfaceName,
  unreadableValue,
} from "../interface-builder.ts";
import { parseIfcfgRoutes } from "./ifcfg-routes.ts";
import { parseShellAssignments } from "./shell-assignments.ts";

const folder = "/etc/sysconfig/network-scripts/";
/** Left behind by editors and rpm; initscripts skip the same names. */
const backup = /(~|\.bak|\.old|\.orig|\.rpmnew|\.rpmorig|\.rpmsave|\.swp|,v)$/;

type Values = ReadonlyMap<string, string>;

interface LiveCard {
  name: string;
  macAddress?: string;
  driver?: string;
}

/** initscripts' and NetworkManager's ifcfg files, see sysconfig.txt of initscripts and nm-settings-ifcfg-rh(5). */
export function parseIfcfg(files: ConfigFiles, live: readonly LiveCard[] = []): NetworkReading {
  const problems: Problem[] = [];
  const global = parseShellAssignments(files.get("/etc/sysconfig/network") ?? "");
  const interfaces = new Map<string, InterfaceBuilder>();
  for (const path of ifcfgPaths(files)) {
    const values = parseShellAssignments(files.get(path) ?? "");
    const fileName = path.slice(folder.length + "ifcfg-".length);
    const device = (values.get("DEVICE") || cardName(values, live) || fileName).trim();
    const [name = "", alias] = device.split(":");
    if (name === "lo") continue;
    if (!isPlainInterfaceName(name)) {
      problems.push(unreadableValue("interface name", device, path));
      continue;
    }
    // An alias belongs to its parent, which decides whether it comes up.
    if (isNo(values.get(alias === undefined ? "ONBOOT" : "ONPARENT"))) {
      problems.push(notActive(device, path));
      continue;
    }
    const kind = foreignKind(values, name);
    if (kind !== undefined) {
      problems.push(interfaceKindNotCarried(name, kind, path));
      continue;
    }
    const builder = interfaces.get(name) ?? new InterfaceBuilder(name, path, problems);
    interfaces.set(name, builder);
    readInterface(builder, values);
    if (alias === undefined) {
      readRoutes(builder, values, global);
      parseIfcfgRoutes(builder, `${folder}route-${fileName}`, files);
      parseIfcfgRoutes(builder, `${folder}route6-${fileName}`, files);
    }
  }
  const list = [...interfaces.values()].map((builder) => builder.result);
  addGlobalGateway(list, global);
  const hostname = global.get("HOSTNAME");
  return {
    interfaces: list,
    dns: { servers: [], searchDomains: [] },
    ...(hostname ? { hostname } : {}),
    problems,
  };
}

/** NetworkManager's profiles may name a card by its MAC address, or none at all: then it is the only one there is. */
function cardName(values: Values, live: readonly LiveCard[]): string | undefined {
  const mac = parseMacAddress(values.get("HWADDR") ?? "");
  if (mac !== undefined) return live.find((card) => card.macAddress === mac)?.name;
  const cards = live.filter((card) => card.driver !== undefined);
  return values.has("UUID") && cards.length === 1 ? cards[0]?.name : undefined;
}

/** Aliases after their parents: `ifcfg-eth0` before `ifcfg-eth0:1`. */
export function ifcfgPaths(files: ConfigFiles): string[] {
  return [...files.keys()]
    .filter((path) => path.startsWith(`${folder}ifcfg-`) && !backup.test(path) && !path.endsWith("/ifcfg-lo"))
    .sort();
}

function readInterface(builder: InterfaceBuilder, values: Values): void {
  const protocol = (values.get("BOOTPROTO") ?? "none").toLowerCase();
  if (protocol === "dhcp" || protocol === "bootp") builder.result.ipv4 = "dhcp";
  else if (!["none", "static", ""].includes(protocol)) builder.unreadable("BOOTPROTO", protocol);
  readIpv4Addresses(builder, values);
  readIpv6(builder, values);
  for (const key of numbered(values, "DNS")) builder.dnsServer(values.get(key) ?? "");
  for (const domain of (values.get("DOMAIN") ?? "").split(/[\s,]+/)) builder.searchDomain(domain);
  if (values.has("HWADDR")) builder.macAddress(values.get("HWADDR") ?? "");
  if (values.has("MACADDR")) builder.assignedMacAddress(values.get("MACADDR") ?? "");
  if (values.has("MTU")) builder.mtu(values.get("MTU") ?? "");
  for (const key of ["ETHTOOL_OPTS", "KEY_MGMT", "IEEE_8021X"]) {
    if (values.has(key)) builder.notCarried(`${key}=${values.get(key)}`);
  }
}

function readIpv4Addresses(builder: InterfaceBuilder, values: Values): void {
  for (const key of numbered(values, "IPADDR")) {
    const address = values.get(key) ?? "";
    if (address === "") continue;
    const suffix = key.slice("IPADDR".length);
    // initscripts let a lone IPADDR0 go with PREFIX, and IPADDR with PREFIX0.
    const twin = suffix === "" ? "0" : suffix === "0" ? "" : suffix;
    const maskText =
      [`PREFIX${suffix}`, `NETMASK${suffix}`, `PREFIX${twin}`, `NETMASK${twin}`]
        .map((name) => values.get(name))
        .find((text) => text) ?? undefined;
    const prefix = maskText === undefined ? classfulPrefix(address) : parsePrefix(maskText);
    if (prefix === undefined) builder.unreadable("network mask", maskText ?? "");
    else builder.address(address, prefix);
  }
}

function readIpv6(builder: InterfaceBuilder, values: Values): void {
  const one = builder.result;
  if (isNo(values.get("IPV6INIT"))) return;
  const enabled = isYes(values.get("IPV6INIT")) || values.has("IPV6ADDR") || isYes(values.get("DHCPV6C"));
  if (!enabled) return;
  if (isYes(values.get("DHCPV6C"))) one.ipv6 = "dhcp";
  else if (
    !isNo(values.get("IPV6_AUTOCONF")) &&
    (isYes(values.get("IPV6_AUTOCONF")) || !values.has("IPV6ADDR"))
  )
    one.ipv6 = "auto";
  const all = `${values.get("IPV6ADDR") ?? ""} ${values.get("IPV6ADDR_SECONDARIES") ?? ""}`;
  for (const address of all.split(/[\s,]+/).filter(Boolean)) builder.address(address, 64);
}

function readRoutes(builder: InterfaceBuilder, values: Values, global: Values): void {
  const isDefault = !isNo(values.get("DEFROUTE"));
  const device = global.get("GATEWAYDEV");
  const gateway = numbered(values, "GATEWAY")
    .map((key) => values.get(key))
    .find(Boolean);
  if (gateway && isDefault && (device === undefined || device === "" || device === builder.result.name)) {
    builder.route(defaultDestination(4), gateway, values.get("IPV4_ROUTE_METRIC"));
  }
  const gateway6 = values.get("IPV6_DEFAULTGW");
  if (gateway6 && !isNo(values.get("IPV6_DEFROUTE")))
    builder.route(defaultDestination(6), gateway6, values.get("IPV6_ROUTE_METRIC"));
}

/** GATEWAY in /etc/sysconfig/network goes to the interface whose network it is in. */
function addGlobalGateway(interfaces: NetworkInterface[], global: Values): void {
  const gateway = parseCidr(global.get("GATEWAY") ?? "", 32)?.split("/")[0];
  if (gateway === undefined || familyOf(gateway) !== 4) return;
  if (interfaces.some((one) => one.routes.some((route) => route.destination === "0.0.0.0/0"))) return;
  const device = global.get("GATEWAYDEV");
  const owner =
    interfaces.find((one) => one.name === device) ??
    interfaces.find((one) => one.addresses.some((address) => sameNetwork(address, gateway))) ??
    (interfaces.length === 1 ? interfaces[0] : undefined);
  owner?.routes.push({ destination: "0.0.0.0/0", gateway });
}

function sameNetwork(cidr: string, address: string): boolean {
  const prefix = Number(cidr.split("/")[1]);
  const bits = (text: string): string =>
    text
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  return (
    familyOf(cidr) === 4 && bits(cidr.split("/")[0] ?? "").slice(0, prefix) === bits(address).slice(0, prefix)
  );
}

function foreignKind(values: Values, name: string): string | undefined {
  const type = (values.get("TYPE") ?? "").toLowerCase();
  if (isYes(values.get("VLAN")) || type === "vlan") return "a VLAN";
  if (
    values.has("BONDING_OPTS") ||
    isYes(values.get("BONDING_MASTER")) ||
    type === "bond" ||
    /^bond\d/.test(name)
  )
    return "a bond";
  if (isYes(values.get("SLAVE")) || values.get("MASTER")) return "part of a bond";
  if (values.get("TEAM_MASTER") || values.get("DEVICETYPE") === "TeamPort") return "part of a team";
  if (values.get("DEVICETYPE") === "Team" || type === "team" || values.has("TEAM_CONFIG")) return "a team";
  if (type === "bridge") return "a bridge";
  if (values.get("BRIDGE") || values.get("OVS_BRIDGE")) return "part of a bridge";
  return ["", "ethernet", "generic"].includes(type)
    ? foreignKindOfName(name)
    : `of type ${JSON.stringify(values.get("TYPE"))}`;
}

/** `DNS1`, `DNS2` or `IPADDR`, `IPADDR0` …, in number order. */
function numbered(values: Values, prefix: string): string[] {
  return [...values.keys()]
    .filter((key) => key.startsWith(prefix) && /^\d{0,3}$/.test(key.slice(prefix.length)))
    .sort((a, b) => Number(a.slice(prefix.length) || -1) - Number(b.slice(prefix.length) || -1));
}

function notActive(name: string, where: string): Problem {
  return {
    code: "interface-not-active",
    message: `interface ${name} is not started at boot (ONBOOT=no) and is not carried`,
    hint: "Set ONBOOT=yes if the new system needs it.",
    where,
  };
}

function isYes(text: string | undefined): boolean {
  return /^(yes|y|true|t|1|on)$/i.test(text ?? "");
}

function isNo(text: string | undefined): boolean {
  return /^(no|n|false|f|0|off)$/i.test(text ?? "");
}
