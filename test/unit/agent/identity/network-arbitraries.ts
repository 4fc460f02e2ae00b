import fc from "fast-check";
import { networkOf, parseAddress } from "../../../../agent/identity/addresses.ts";
import { normalizeNetwork } from "../../../../agent/identity/normalize-identity.ts";
import type { NetworkInterface, Route } from "../../../../format/identity.ts";

const ipv4 = fc
  .tuple(
    fc.integer({ min: 1, max: 223 }).filter((n) => n !== 127),
    fc.nat(255),
    fc.nat(255),
    fc.integer({ min: 1, max: 254 }),
  )
  .map((parts) => parts.join("."));
const ipv6 = fc
  .tuple(fc.constantFrom("2001:db8", "fd00:1"), fc.array(fc.nat(0xffff), { minLength: 6, maxLength: 6 }))
  .map(([head, rest]) => parseAddress(`${head}:${rest.map((n) => n.toString(16)).join(":")}`) as string)
  .filter((text) => text !== undefined);
const cidr4 = fc
  .tuple(ipv4, fc.integer({ min: 1, max: 32 }))
  .map(([address, prefix]) => `${address}/${prefix}`);
const cidr6 = fc
  .tuple(ipv6, fc.integer({ min: 1, max: 128 }))
  .map(([address, prefix]) => `${address}/${prefix}`);
const mac = fc
  .array(fc.nat(255), { minLength: 5, maxLength: 5 })
  .map((bytes) => ["52", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":"));
const metric = fc.option(fc.integer({ min: 1, max: 99999 }), { nil: undefined });
const domain = fc.constantFrom("example.com", "corp.example.net", "a", "lan.local", "x-y.z_1.org");

function route(cidr: fc.Arbitrary<string>, gateway: fc.Arbitrary<string>, all: string): fc.Arbitrary<Route> {
  return fc
    .record({
      destination: fc.oneof(fc.constant(all), cidr.map(networkOf)),
      gateway: fc.option(gateway, { nil: undefined }),
      metric,
    })
    .map((one) => {
      const result: Route = { destination: one.destination };
      if (one.gateway !== undefined) result.gateway = one.gateway;
      if (one.metric !== undefined) result.metric = one.metric;
      return result;
    });
}

const networkInterface = (name: string): fc.Arbitrary<NetworkInterface> =>
  fc
    .record({
      name: fc.constant(name),
      macAddress: mac,
      assignedMacAddress: fc.option(mac, { nil: undefined }),
      ipv4: fc.constantFrom("none" as const, "dhcp" as const, "static" as const),
      ipv6: fc.constantFrom("none" as const, "auto" as const, "dhcp" as const, "static" as const),
      addresses: fc.array(fc.oneof(cidr4, cidr6), { maxLength: 4 }),
      routes: fc.array(fc.oneof(route(cidr4, ipv4, "0.0.0.0/0"), route(cidr6, ipv6, "::/0")), {
        maxLength: 5,
      }),
      dnsServers: fc.array(fc.oneof(ipv4, ipv6), { maxLength: 3 }),
      searchDomains: fc.array(domain, { maxLength: 3 }),
      mtu: fc.option(fc.integer({ min: 1280, max: 9000 }), { nil: undefined }),
    })
    .map(({ mtu, assignedMacAddress, ...one }) => ({
      ...one,
      ...(mtu === undefined ? {} : { mtu }),
      ...(assignedMacAddress === undefined || assignedMacAddress === one.macAddress
        ? {}
        : { assignedMacAddress }),
    }));

/** Networks in normal form, with what every format can say. */
export const network = fc
  .uniqueArray(fc.constantFrom("eth0", "eth1", "ens3", "enp0s31f6", "eno1", "lan_1"), {
    minLength: 1,
    maxLength: 3,
  })
  .chain((names) =>
    fc.record({
      interfaces: fc.tuple(...names.map(networkInterface)),
      dns: fc.record({
        servers: fc.array(fc.oneof(ipv4, ipv6), { maxLength: 2 }),
        searchDomains: fc.array(domain, { maxLength: 2 }),
      }),
    }),
  )
  .map(({ interfaces, dns }) => normalizeNetwork(interfaces, dns));
