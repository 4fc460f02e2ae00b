import { readFile } from "node:fs/promises";
import type { Identity } from "../../format/identity.ts";
import { askDnsServers } from "./ask-dns-servers.ts";

/** What the new system's health gate may expect in its first days. */
export type ObservedNetwork = Pick<Identity, "answeringDnsServers" | "leasedGateways">;

/**
 * What can be seen of the network right now, on the running system: DNS servers that answer, and default gateways that came with
 * a lease. Takes seconds where a server is silent; nothing is thrown.
 */
export async function observeNetwork(identity: Identity): Promise<ObservedNetwork> {
  const servers = [
    ...(identity.resolver?.servers ?? []),
    ...identity.dns.servers,
    ...identity.interfaces.flatMap(({ dnsServers }) => dnsServers),
  ];
  const answering = await askDnsServers([...new Set(servers)]);
  const leased = leasedGateways(await readFile("/proc/net/route", "utf8").catch(() => ""), identity);
  return {
    ...(answering.length === 0 ? {} : { answeringDnsServers: answering }),
    ...(leased.length === 0 ? {} : { leasedGateways: leased }),
  };
}

const usesGateway = 0x2; // RTF_GATEWAY, linux/route.h

/** IPv4 default gateways of interfaces with DHCP, from the text of /proc/net/route: name, destination, gateway, flags, …, mask. */
export function leasedGateways(text: string, { interfaces }: Pick<Identity, "interfaces">): string[] {
  const found = text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [name, destination, gateway = "", flags = "0", , , , mask] = line.trim().split(/\s+/);
      if (destination !== "00000000" || mask !== "00000000" || !/^[0-9A-F]{8}$/i.test(gateway)) return [];
      if ((Number.parseInt(flags, 16) & usesGateway) === 0) return [];
      const isLeased = interfaces.some((one) => one.name === name && one.ipv4 === "dhcp");
      // In the byte order of the machine, which is x86.
      return isLeased ? [[...Buffer.from(gateway, "hex")].reverse().join(".")] : [];
    });
  return [...new Set(found)];
}
