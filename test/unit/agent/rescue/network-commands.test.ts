import * as fc from "fast-check";
import { expect, test } from "vitest";
import { planNetwork, type Card } from "../../../../agent/rescue/network-commands.ts";
import type { Identity, NetworkInterface } from "../../../../format/identity.ts";

const mac = "52:54:00:00:00:01";
const other = "52:54:00:00:00:02";

function nic(more: Partial<NetworkInterface>): NetworkInterface {
  return {
    name: "ens3",
    macAddress: mac,
    ipv4: "static",
    ipv6: "none",
    addresses: [],
    routes: [],
    dnsServers: [],
    searchDomains: [],
    ...more,
  };
}

function identity(...interfaces: NetworkInterface[]): Identity {
  return {
    format: 1,
    hosts: [],
    interfaces,
    dns: { servers: ["192.0.2.53"], searchDomains: [] },
    users: [],
    groups: [],
    administrators: [],
    networkSource: "ifcfg",
  };
}

function linesFor(one: NetworkInterface, cards: Card[] = [{ name: "eth0", macAddress: mac }]): string[] {
  return planNetwork(identity(one), cards).cards.flatMap(({ commands }) =>
    commands.map((argv) => argv.join(" ")),
  );
}

test("a card is found by its MAC address and gets all that the interface had, gateways last", () => {
  const lines = linesFor(
    nic({
      assignedMacAddress: other,
      mtu: 1400,
      addresses: ["192.0.2.10/24", "2001:db8::10/64"],
      routes: [
        { destination: "0.0.0.0/0", gateway: "192.0.2.1" },
        { destination: "::/0", gateway: "fe80::1%ens3", metric: 5 },
        { destination: "198.51.100.0/24" },
      ],
    }),
  );
  expect(lines).toEqual([
    "sysctl -q -w net/ipv6/conf/eth0/accept_ra=0",
    "sysctl -q -w net/ipv6/conf/eth0/autoconf=0",
    "ip addr flush dev eth0",
    "ip link set eth0 down",
    `ip link set eth0 address ${other}`,
    "ip link set eth0 mtu 1400",
    "ip link set eth0 up",
    "ip addr add 192.0.2.10/24 broadcast + dev eth0",
    "ip addr add 2001:db8::10/64 dev eth0",
    "ip -4 route replace 198.51.100.0/24 dev eth0",
    "ip -4 route replace default via 192.0.2.1 dev eth0",
    "ip -6 route replace default via fe80::1 dev eth0 metric 5",
  ]);
});

test("a gateway outside the address's network is made known first", () => {
  const routes = [{ destination: "0.0.0.0/0", gateway: "203.0.113.1" }];
  expect(linesFor(nic({ addresses: ["192.0.2.10/32"], routes })).slice(-3)).toEqual([
    "ip addr add 192.0.2.10/32 dev eth0",
    "ip -4 route replace 203.0.113.1/32 dev eth0",
    "ip -4 route replace default via 203.0.113.1 dev eth0",
  ]);
});

test("without a MAC address the name counts, then the only card; never a card that is another interface's", () => {
  const { macAddress: _, ...nameless } = nic({ addresses: ["192.0.2.10/24"] });
  const cards = [
    { name: "eth0", macAddress: mac },
    { name: "ens3", macAddress: other },
  ];
  expect(planNetwork(identity(nameless), cards).cards).toMatchObject([{ card: "ens3" }]);
  expect(planNetwork(identity(nameless), cards.slice(0, 1)).cards).toMatchObject([
    { card: "eth0", oldName: "ens3" },
  ]);
  const two = planNetwork(
    identity(nameless, nic({ name: "ens4", macAddress: other, ipv4: "dhcp" })),
    cards.slice(1),
  );
  expect(two.cards).toMatchObject([{ card: "ens3", oldName: "ens4", dhcp: true }]);
  expect(two.notes.join()).toContain("ens3 (MAC address unknown) is not in this machine");
});

test("when nothing fits, every card asks by DHCP, and it is said why", () => {
  const cards = [
    { name: "eth0", macAddress: "52:54:00:00:00:09" },
    { name: "eth1", macAddress: other },
  ];
  const found = planNetwork(identity(nic({})), [...cards]);
  expect(found.cards.map(({ card, dhcp }) => [card, dhcp])).toEqual([
    ["eth0", true],
    ["eth1", true],
  ]);
  expect(found.notes[0]).toContain(mac);
  expect(planNetwork(undefined, cards).cards).toHaveLength(2);
  expect(planNetwork(undefined, []).notes).toEqual(["There is no network card that the ramdisk knows."]);
});

test("any identity gives plain words for every card at most once", () => {
  const anyCard = fc.record({
    name: fc.constantFrom("eth0", "eth1", "ens3"),
    macAddress: fc.constantFrom(mac, other, "52:54:00:00:00:03"),
  });
  const anyNic = fc
    .record({
      name: fc.constantFrom("eth0", "eth1", "ens3"),
      macAddress: fc.constantFrom(mac, other, undefined),
      ipv4: fc.constantFrom("none" as const, "dhcp" as const, "static" as const),
      ipv6: fc.constantFrom("none" as const, "auto" as const, "dhcp" as const),
      addresses: fc.subarray(["192.0.2.1/24", "2001:db8::1/64", "0.0.0.0/999", "::/129"]),
      gateway: fc.constantFrom("192.0.2.254", "fe80::1%x", "::", "1:2:3"),
    })
    .map(({ gateway, macAddress, ...one }) => {
      const routes = [{ destination: gateway.includes(":") ? "::/0" : "0.0.0.0/0", gateway }];
      const { macAddress: _, ...bare } = nic({ ...one, routes });
      return macAddress === undefined ? bare : { ...bare, macAddress };
    });
  const cards = fc.uniqueArray(anyCard, { selector: ({ name }) => name });
  fc.assert(
    fc.property(fc.array(anyNic, { maxLength: 4 }), cards, (interfaces, here) => {
      const setup = planNetwork(identity(...interfaces), here);
      const names = setup.cards.map(({ card }) => card);
      expect(new Set(names).size).toBe(names.length);
      for (const { commands } of setup.cards)
        for (const word of commands.flat()) expect(word).toMatch(/^[\w+./:=-]+$/);
    }),
  );
});
