import type { Problem } from "../../../format/errors.ts";
import { defaultDestination, parseZonedAddress } from "../addresses.ts";
import type { ConfigFiles, NetworkReading } from "../config-files.ts";
import {
  foreignKindOfName,
  InterfaceBuilder,
  interfaceKindNotCarried,
  isPlainInterfaceName,
  isSearchDomain,
} from "../interface-builder.ts";
import { allValues, lastValue, parseIniSections, type IniSection } from "./ini-sections.ts";

const folder = "/etc/NetworkManager/system-connections/";

/** NetworkManager keyfiles, see nm-settings-keyfile(5). */
export function parseNetworkManager(files: ConfigFiles): NetworkReading {
  const problems: Problem[] = [];
  const connections = keyfilePaths(files)
    .map((path) => ({ path, sections: parseIniSections(files.get(path) ?? "", { continuation: false }) }))
    .sort((a, b) => priority(b.sections) - priority(a.sections));
  const interfaces = new Map<string, InterfaceBuilder>();
  for (const { path, sections } of connections) {
    const type = lastValue(sections, "connection", "type") ?? "ethernet";
    const id = lastValue(sections, "connection", "id") ?? "";
    const name =
      lastValue(sections, "connection", "interface-name") ?? /^dualroot-(.+)$/.exec(unescapeText(id))?.[1];
    if (lastValue(sections, "connection", "autoconnect") === "false" || type === "loopback") continue;
    const master =
      lastValue(sections, "connection", "master") ?? lastValue(sections, "connection", "controller");
    if ((type !== "ethernet" && type !== "802-3-ethernet") || master !== undefined) {
      problems.push(
        interfaceKindNotCarried(
          name ?? id,
          master === undefined ? `of type ${type}` : `part of ${master}`,
          path,
        ),
      );
      continue;
    }
    if (name === undefined || !isPlainInterfaceName(name)) {
      problems.push({
        code: "network-match-unresolved",
        message: `connection "${id}" names no interface`,
        hint: "Nothing to do if another connection does; else set interface-name.",
        where: path,
      });
      continue;
    }
    const kind = foreignKindOfName(name);
    if (kind !== undefined) {
      problems.push(interfaceKindNotCarried(name, kind, path));
      continue;
    }
    if (interfaces.has(name)) continue;
    const builder = new InterfaceBuilder(name, path, problems);
    interfaces.set(name, builder);
    readConnection(builder, sections);
  }
  return { interfaces: [...interfaces.values()].map((one) => one.result), dns: globalDns(files), problems };
}

export function keyfilePaths(files: ConfigFiles): string[] {
  return [...files.keys()]
    .filter((path) => path.startsWith(folder) && !/(~|\.bak|\.orig|\.swp)$/.test(path))
    .sort();
}

function readConnection(builder: InterfaceBuilder, sections: readonly IniSection[]): void {
  const one = builder.result;
  for (const section of ["ethernet", "802-3-ethernet"]) {
    const value = (key: string): string => lastValue(sections, section, key) ?? "";
    if (value("mac-address")) builder.macAddress(value("mac-address"));
    if (/^([0-9a-f]{2}:){5}/i.test(value("cloned-mac-address")))
      builder.assignedMacAddress(value("cloned-mac-address"));
    if (value("mtu")) builder.mtu(value("mtu"));
  }
  const ipv4 = lastValue(sections, "ipv4", "method") ?? "disabled";
  const ipv6 = lastValue(sections, "ipv6", "method") ?? "disabled";
  if (ipv4 === "auto") one.ipv4 = "dhcp";
  if (ipv6 === "auto") one.ipv6 = "auto";
  if (ipv6 === "dhcp") one.ipv6 = "dhcp";
  for (const [section, family] of [
    ["ipv4", 4],
    ["ipv6", 6],
  ] as const) {
    for (const [key, text] of entriesOf(sections, section)) {
      if (/^(address|addresses)\d*$/.test(key)) {
        const [address = "", gateway] = text.split(",").map((part) => part.trim());
        builder.address(address, family === 4 ? 32 : 128);
        if (gateway) builder.route(defaultDestination(family), gateway);
      } else if (key === "gateway" && text !== "") {
        builder.route(defaultDestination(family), text, lastValue(sections, section, "route-metric"));
      } else if (/^(route|routes)\d*$/.test(key)) {
        const [destination = "", gateway, metric] = text.split(",").map((part) => part.trim());
        builder.route(destination, gateway || undefined, metric);
      } else if (key === "dns") {
        for (const server of list(text)) builder.dnsServer(server.split("#")[0] ?? "");
      } else if (key === "dns-search") {
        for (const domain of list(text)) builder.searchDomain(domain);
      } else if (key.startsWith("routing-rule")) builder.notCarried(`${key}=${text}`);
    }
  }
}

function entriesOf(sections: readonly IniSection[], name: string): [string, string][] {
  return sections
    .filter((section) => section.name === name)
    .flatMap((section) =>
      section.entries.map((entry): [string, string] => [entry.key, unescapeText(entry.value)]),
    );
}

/** [global-dns] of NetworkManager.conf.d: replaces what connections say, so it holds everything. */
function globalDns(files: ConfigFiles): NetworkReading["dns"] {
  const sections = [...files.keys()]
    .filter((path) => /^\/etc\/NetworkManager\/(NetworkManager\.conf|conf\.d\/[^/]+\.conf)$/.test(path))
    .sort()
    .flatMap((path) => parseIniSections(files.get(path) ?? "", { continuation: false }));
  const split = (values: readonly string[]): string[] =>
    values.flatMap((value) => value.split(/[,;\s]+/)).filter(Boolean);
  return {
    servers: split(allValues(sections, "global-dns-domain-*", "servers"))
      .map(parseZonedAddress)
      .filter((server) => server !== undefined),
    searchDomains: split(allValues(sections, "global-dns", "searches")).filter(isSearchDomain),
  };
}

function priority(sections: readonly IniSection[]): number {
  return Number(lastValue(sections, "connection", "autoconnect-priority") ?? 0) || 0;
}

function list(text: string): string[] {
  return text
    .split(/[;,]/)
    .map((part) => part.trim())
    .filter(Boolean);
}

/** GLib keyfile escapes. */
function unescapeText(text: string): string {
  return text.replaceAll(
    /\\([sntr\\;])/g,
    (_, char: string) => ({ s: " ", n: "\n", t: "\t", r: "\r" })[char] ?? char,
  );
}
