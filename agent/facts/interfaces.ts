import type { networkInterfaces } from "node:os";
import { driverModule } from "./drivers.ts";
import type { InterfaceFacts } from "./facts.ts";
import type { Tree } from "./tree.ts";

/** IFF_UP in /sys/class/net/NAME/flags. */
const flagUp = 1;

/** Every interface but loopback; `live` is the kernel's list of addresses (getifaddrs). Link-local ones are left out: they come by themselves. */
export async function readInterfaces(
  tree: Tree,
  live: ReturnType<typeof networkInterfaces>,
): Promise<InterfaceFacts[]> {
  const interfaces: InterfaceFacts[] = [];
  for (const name of await tree.list("/sys/class/net")) {
    const folder = `/sys/class/net/${name}`;
    const flags = await tree.text(`${folder}/flags`);
    if (name === "lo" || flags === undefined) continue;
    const macAddress = await tree.text(`${folder}/address`);
    const driver = await driverModule(tree, `${folder}/device`);
    interfaces.push({
      name,
      ...(macAddress && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(macAddress) ? { macAddress } : {}),
      ...(driver ? { driver } : {}),
      up: (Number(flags) & flagUp) !== 0,
      addresses: (live[name] ?? []).flatMap(({ cidr, address }) =>
        cidr && !isLinkLocal(address) ? [cidr] : [],
      ),
    });
  }
  return interfaces;
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address) || address.startsWith("169.254.");
}
