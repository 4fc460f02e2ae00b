import type { Problem } from "../../format/errors.ts";
import type { NetworkInterface, Route } from "../../format/identity.ts";
import { familyOf, networkOf, parseCidr, parseMacAddress, parseZonedAddress } from "./addresses.ts";

/** Names that need no quoting in any format; `:` is no part of a kernel name (it marks an alias). */
const plainInterfaceName = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,14}$/;
const plainDomain = /^~?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?$/;

export function isPlainInterfaceName(name: string): boolean {
  return plainInterfaceName.test(name);
}

export function isSearchDomain(domain: string): boolean {
  return plainDomain.test(domain) || domain === "~.";
}

const kindsByName: readonly [RegExp, string][] = [
  [/\.\d+$/, "a VLAN"],
  [/^vlan\d/, "a VLAN"],
  [/^bond\d/, "a bond"],
  [/^team\d/, "a team"],
  [/^br\d/, "a bridge"],
  [/^(wl|ww|ra)/, "wireless"],
  [/^(tun|tap|wg|ppp|gre|sit|ib|dummy|veth)\d/, "no Ethernet card"],
];

/** What an interface's name says about it, where its configuration does not. */
export function foreignKindOfName(name: string): string | undefined {
  return kindsByName.find(([pattern]) => pattern.test(name))?.[1];
}

/** An interface about which nothing is configured yet. */
export function emptyInterface(name: string): NetworkInterface {
  return { name, ipv4: "none", ipv6: "none", addresses: [], routes: [], dnsServers: [], searchDomains: [] };
}

/** Fills one interface from texts of a configuration file; what cannot be used becomes a problem, never an exception. */
export class InterfaceBuilder {
  readonly result: NetworkInterface;
  readonly problems: Problem[];
  private readonly where: string;

  constructor(name: string, where: string, problems: Problem[]) {
    this.result = emptyInterface(name);
    this.where = where;
    this.problems = problems;
  }

  address(text: string, defaultPrefix?: number): void {
    const cidr = parseCidr(text, defaultPrefix);
    if (cidr === undefined) return this.unreadable("address", text);
    if (!this.result.addresses.includes(cidr)) this.result.addresses.push(cidr);
    if (familyOf(cidr) === 4 && this.result.ipv4 === "none") this.result.ipv4 = "static";
    if (familyOf(cidr) === 6 && this.result.ipv6 === "none") this.result.ipv6 = "static";
  }

  route(destination: string, gateway?: string, metric?: string | number): void {
    const cidr = parseCidr(destination, familyOf(destination) === 4 ? 32 : 128);
    if (cidr === undefined) return this.unreadable("route", destination);
    // The zone of a link-local gateway is this interface; each format says so in its own way.
    const via = gateway === undefined ? undefined : parseZonedAddress(gateway)?.split("%")[0];
    if (gateway !== undefined && via === undefined) return this.unreadable("gateway", gateway);
    const unspecified = via === "0.0.0.0" || via === "::";
    const metricNumber = metric === undefined || metric === "" ? undefined : Number(metric);
    if (
      metricNumber !== undefined &&
      !(Number.isInteger(metricNumber) && metricNumber >= 0 && metricNumber < 2 ** 32)
    ) {
      return this.unreadable("route metric", String(metric));
    }
    const route: Route = { destination: networkOf(cidr) };
    if (via !== undefined && !unspecified) route.gateway = via;
    // 0 is what "no metric" means to the kernel for IPv4 and to every tool for IPv6.
    if (metricNumber !== undefined && metricNumber !== 0) route.metric = metricNumber;
    this.result.routes.push(route);
  }

  dnsServer(text: string): void {
    const address = parseZonedAddress(text);
    if (address === undefined) return this.unreadable("name server", text);
    if (!this.result.dnsServers.includes(address)) this.result.dnsServers.push(address);
  }

  searchDomain(text: string): void {
    if (text === "") return;
    if (!isSearchDomain(text)) return this.unreadable("search domain", text);
    if (!this.result.searchDomains.includes(text)) this.result.searchDomains.push(text);
  }

  mtu(text: string): void {
    const value = Number(text);
    if (/^\d{1,6}$/.test(text) && value >= 68 && value <= 65535) this.result.mtu = value;
    else if (text !== "" && text !== "0" && text !== "auto") this.unreadable("MTU", text);
  }

  macAddress(text: string): void {
    const mac = parseMacAddress(text);
    if (mac === undefined) this.unreadable("MAC address", text);
    else this.result.macAddress = mac;
  }

  assignedMacAddress(text: string): void {
    const mac = parseMacAddress(text);
    if (mac === undefined) this.unreadable("assigned MAC address", text);
    else this.result.assignedMacAddress = mac;
  }

  notCarried(what: string): void {
    this.problems.push({
      code: "network-setting-not-carried",
      message: `${what} of interface ${this.result.name} is not carried to the new system`,
      hint: "Add it to the release (a file in its overlay or preserve.paths) if the gateway needs it.",
      where: this.where,
    });
  }

  unreadable(what: string, text: string): void {
    this.problems.push(unreadableValue(`${what} of interface ${this.result.name}`, text, this.where));
  }
}

export function unreadableValue(what: string, text: string, where: string): Problem {
  return {
    code: "identity-value-unreadable",
    message: `${what} cannot be read: ${JSON.stringify(text.slice(0, 100))}`,
    hint: "Correct it in the file and check again.",
    where,
  };
}

/** A bond, VLAN, bridge and the like: leaving it out would leave the gateway without its network. */
export function interfaceKindNotCarried(name: string, kind: string, where: string): Problem {
  return {
    code: "interface-kind-not-carried",
    message: `interface ${name} is ${kind}, which dualroot cannot carry to the new system`,
    hint: "Configure it in the release itself and list this interface's files in preserve.paths, or convert this gateway by hand.",
    where,
  };
}
