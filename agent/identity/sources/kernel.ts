import type { Problem } from "../../../format/errors.ts";
import { familyOf } from "../addresses.ts";
import type { NetworkReading } from "../config-files.ts";
import { InterfaceBuilder, isPlainInterfaceName } from "../interface-builder.ts";

/** Last resort, without any configuration file we can read: the addresses the kernel has now, as static ones. */
export function parseKernel(
  live: readonly { name: string; macAddress?: string; addresses: readonly string[] }[],
): NetworkReading {
  const problems: Problem[] = [];
  const interfaces = live.flatMap((one) => {
    const addresses = one.addresses.filter((address) => !/^(fe80:|127\.|::1\/)/.test(address));
    if (
      one.name === "lo" ||
      one.macAddress === undefined ||
      addresses.length === 0 ||
      !isPlainInterfaceName(one.name)
    )
      return [];
    const builder = new InterfaceBuilder(one.name, "kernel", problems);
    builder.macAddress(one.macAddress);
    for (const address of addresses) builder.address(address, familyOf(address) === 4 ? 32 : 128);
    return [builder.result];
  });
  problems.push({
    code: "network-source-unknown",
    message: "no network configuration of ifcfg, ifupdown, systemd-networkd or NetworkManager was found",
    hint: "Without one, only the present addresses are carried: no gateway, no name servers. Configure the network in the release.",
  });
  return { interfaces, dns: { servers: [], searchDomains: [] }, problems };
}
