import type { Problem } from "../../format/errors.ts";
import type { Identity } from "../../format/identity.ts";
import { familyOf } from "./addresses.ts";
import { writtenBy, type ConfigFiles, type NetworkReading } from "./config-files.ts";
import { normalizeNetwork } from "./normalize-identity.ts";
import { readResolver } from "./read-resolver.ts";
import { detectSources, type NetworkSource } from "./sources/detect-source.ts";
import { parseIfcfg } from "./sources/ifcfg.ts";
import { parseIfupdown } from "./sources/ifupdown.ts";
import { parseKernel } from "./sources/kernel.ts";
import { parseNetworkd } from "./sources/networkd.ts";
import { parseNetworkManager } from "./sources/networkmanager.ts";

/** What the running kernel shows; empty when a mounted root is read. */
export interface LiveAddresses {
  name: string;
  /** Set for real cards; bridges, VLANs and the like of containers have none. */
  driver?: string;
  macAddress?: string;
  addresses: readonly string[];
}

export interface NetworkState {
  source: NetworkSource;
  interfaces: Identity["interfaces"];
  dns: Identity["dns"];
  resolver?: Identity["dns"];
  hostname?: string;
  problems: Problem[];
}

/** All network settings of a system from its files, completed by what its kernel shows. */
export function readNetwork(allFiles: ConfigFiles, live: readonly LiveAddresses[] = []): NetworkState {
  const sources = detectSources(allFiles);
  const source = sources[0] ?? "kernel";
  const files = hasOwnFiles(allFiles) ? onlyOwn(allFiles) : allFiles;
  const reading = readSource(source, files, live);
  // The first hundred say what is wrong; a file of garbage has a finding for every line.
  const problems = reading.problems.slice(0, 100);
  const others = sources.slice(1);
  if (others.length > 0 && files === allFiles) {
    problems.push({
      code: "several-network-sources",
      message: `network settings are read from ${source}; files of ${others.join(" and ")} are there too and are not read`,
      hint: "Remove the configuration that is not in use, or check the printed addresses.",
    });
  }
  const completed = reading.interfaces.map((one) => completeFromKernel(one, live, problems));
  problems.push(...unconfigured(live, completed, problems));
  const resolving = readResolver(files, source, completed, reading.dns);
  const { interfaces, dns, resolver } = resolving;
  problems.push(...resolving.problems);
  const network = normalizeNetwork(interfaces, dns);
  problems.push(...lostRoutes(interfaces, network.interfaces));
  return {
    source,
    ...network,
    ...(resolver === undefined ? {} : { resolver }),
    ...(reading.hostname === undefined ? {} : { hostname: reading.hostname }),
    problems,
  };
}

function readSource(
  source: NetworkSource,
  files: ConfigFiles,
  live: readonly LiveAddresses[],
): NetworkReading {
  switch (source) {
    case "ifcfg":
      return parseIfcfg(files, live);
    case "ifupdown":
      return parseIfupdown(files);
    case "networkd":
      return parseNetworkd(files, live);
    case "networkmanager":
      return parseNetworkManager(files);
    case "kernel":
      return parseKernel(live);
  }
}

const interfaceFile = /\/(ifcfg-[^/]+|interfaces|[^/]+\.network|[^/]+\.netdev|system-connections\/[^/]+)$/;

/** Is this a system that a conversion wrote? */
function hasOwnFiles(files: ConfigFiles): boolean {
  return [...files.keys()].some((path) => interfaceFile.test(path) && writtenBy(path, files));
}

/** There our files go before those of the image, which would only be read as noise; its programs replace a resolv.conf not ours. */
function onlyOwn(files: ConfigFiles): ConfigFiles {
  const isOurs = (path: string): boolean => writtenBy(path, files);
  return new Map(
    [...files].filter(
      ([path]) => isOurs(path) || !(interfaceFile.test(path) || path.endsWith("resolv.conf")),
    ),
  );
}

function completeFromKernel(
  one: Identity["interfaces"][number],
  live: readonly LiveAddresses[],
  problems: Problem[],
): Identity["interfaces"][number] {
  const seen = live.find((candidate) => candidate.name === one.name);
  if (seen === undefined) return one;
  const completed = { ...one };
  if (one.macAddress === undefined && seen.macAddress !== undefined) {
    if (one.assignedMacAddress === undefined) completed.macAddress = seen.macAddress;
    else {
      problems.push({
        code: "interface-card-unknown",
        message: `interface ${one.name} has an assigned MAC address (${one.assignedMacAddress}) and its file does not name the card's own`,
        hint: "Add HWADDR= with the card's own address, so that the new system finds the card under any name.",
      });
    }
  }
  const shown = seen.addresses.filter((address) => familyOf(address) === 4);
  if (one.ipv4 === "dhcp" && shown.length > 0) {
    // initscripts pass over an address that was left in the file of a leased interface; the kernel tells.
    const isStale = (address: string): boolean => familyOf(address) === 4 && !shown.includes(address);
    completed.addresses = one.addresses.filter((address) => !isStale(address));
    for (const address of one.addresses.filter(isStale)) {
      problems.push({
        code: "network-setting-not-carried",
        message: `address ${address} of interface ${one.name} is not in use beside the lease and is not carried`,
        hint: "Remove it from the interface's file, or set BOOTPROTO=none if it should be used.",
      });
    }
  }
  // The kernel configures itself from router advertisements where nobody tells it not to: global, unique local, site local.
  const global = seen.addresses.filter(
    (address) => /^([23]|f[cd]|fe[c-f])/i.test(address) && familyOf(address) === 6,
  );
  if (one.ipv6 === "none" && global.length > 0) completed.ipv6 = "auto";
  return completed;
}

/** A card in use that no configuration accounts for is somebody's way to this gateway. */
function unconfigured(
  live: readonly LiveAddresses[],
  interfaces: Identity["interfaces"],
  problems: readonly Problem[],
): Problem[] {
  return live.flatMap(({ name, driver, addresses }) => {
    const used = addresses.filter((address) => !/^(fe80:|169\.254\.|127\.|::1\/)/.test(address));
    const known =
      interfaces.some((one) => one.name === name) ||
      problems.some((problem) => problem.message.includes(`interface ${name} `));
    if (driver === undefined || used.length === 0 || known) return [];
    return [
      {
        code: "interface-not-configured",
        message: `interface ${name} has the address ${used.join(", ")}, which is in no configuration file that was read`,
        hint: "Write it into the network configuration that is in use, so that it can be carried.",
      },
    ];
  });
}

function lostRoutes(before: Identity["interfaces"], after: Identity["interfaces"]): Problem[] {
  return before.flatMap((one) => {
    const kept = after.find((candidate) => candidate.name === one.name)?.routes ?? [];
    return one.routes
      .filter((route) => !kept.some((other) => familyOf(other.destination) === familyOf(route.destination)))
      .map((route) => ({
        code: "network-setting-not-carried",
        message: `route ${route.destination} of interface ${one.name} is not carried: the interface has no address of that family`,
        hint: "Configure it in the release if the gateway needs it.",
      }));
  });
}
