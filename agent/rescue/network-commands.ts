import type { Identity, NetworkInterface, Route } from "../../format/identity.ts";
import { familyOf, networkOf } from "../identity/addresses.ts";

/** A network card as the ramdisk's kernel shows it. */
export interface Card {
  name: string;
  macAddress: string;
}

export interface CardSetup {
  card: string;
  /** What it was called, where that is another name. */
  oldName?: string;
  /** busybox `ip` and `sysctl`, in this order; each may fail without harm to the next. */
  commands: string[][];
  addresses: string[];
  dhcp: boolean;
}

export interface NetworkSetup {
  cards: CardSetup[];
  resolver: { servers: string[]; searchDomains: string[] };
  /** For the person on the console. */
  notes: string[];
}

/** How the cards that are here get what the gateway had. With nothing that fits any card, every card asks by DHCP. */
export function planNetwork(identity: Identity | undefined, cards: readonly Card[]): NetworkSetup {
  const notes: string[] = [];
  const free = [...cards];
  const setups: CardSetup[] = [];
  const interfaces = identity?.interfaces ?? [];
  for (const one of interfaces) {
    const card = takeCard(one, interfaces, free);
    if (card) setups.push(setUp(one, card, notes));
    else
      notes.push(
        `Interface ${one.name} (${one.macAddress ?? "MAC address unknown"}) is not in this machine.`,
      );
  }
  if (setups.length === 0) {
    if (cards.length === 0) notes.push("There is no network card that the ramdisk knows.");
    for (const { name } of cards)
      setups.push({ card: name, commands: [["ip", "link", "set", name, "up"]], addresses: [], dhcp: true });
  }
  return { cards: setups, resolver: resolverOf(identity), notes };
}

/** By MAC address; then by name; then the one card for the one interface. Takes it away from the free ones. */
function takeCard(one: NetworkInterface, all: readonly NetworkInterface[], free: Card[]): Card | undefined {
  const claimed = (card: Card): boolean =>
    all.some((other) => other !== one && other.macAddress === card.macAddress);
  const candidates = free.filter((card) => !claimed(card));
  const card =
    free.find(({ macAddress }) => macAddress === one.macAddress) ??
    candidates.find(({ name }) => name === one.name) ??
    (all.length === 1 && candidates.length === 1 ? candidates[0] : undefined);
  if (card) free.splice(free.indexOf(card), 1);
  return card;
}

function setUp(one: NetworkInterface, { name: card }: Card, notes: string[]): CardSetup {
  const { addresses } = one;
  if (one.ipv6 === "dhcp")
    notes.push(
      `Interface ${one.name}: there is no DHCPv6 here; an address from router advertisements may come.`,
    );
  const follows = one.ipv6 === "auto" || one.ipv6 === "dhcp" ? "1" : "0";
  const commands = [
    ["sysctl", "-q", "-w", `net/ipv6/conf/${card}/accept_ra=${follows}`],
    ["sysctl", "-q", "-w", `net/ipv6/conf/${card}/autoconf=${follows}`],
    // Started again, it begins anew.
    ["ip", "addr", "flush", "dev", card],
    ["ip", "link", "set", card, "down"],
    ...(one.assignedMacAddress ? [["ip", "link", "set", card, "address", one.assignedMacAddress]] : []),
    ...(one.mtu ? [["ip", "link", "set", card, "mtu", String(one.mtu)]] : []),
    ["ip", "link", "set", card, "up"],
    ...addresses.map((address) => addAddress(address, card)),
    ...inOrder(one.routes).flatMap((route) => addRoute(route, addresses, card)),
  ];
  return {
    card,
    ...(card === one.name ? {} : { oldName: one.name }),
    commands,
    addresses,
    dhcp: one.ipv4 === "dhcp",
  };
}

function addAddress(address: string, card: string): string[] {
  const broadcast = familyOf(address) === 4 && Number(address.split("/")[1]) < 31 ? ["broadcast", "+"] : [];
  return ["ip", "addr", "add", address, ...broadcast, "dev", card];
}

/** Networks on the wire first: the gateways of the others may lie in them. */
function inOrder(routes: readonly Route[]): Route[] {
  return [...routes].sort((a, b) => Number(a.gateway !== undefined) - Number(b.gateway !== undefined));
}

function addRoute(route: Route, addresses: readonly string[], card: string): string[][] {
  const family = familyOf(route.destination);
  const ip = ["ip", `-${family}`, "route", "replace"];
  const gateway = route.gateway?.split("%")[0];
  const metric = route.metric === undefined ? [] : ["metric", String(route.metric)];
  const target = route.destination.endsWith("/0") ? "default" : networkOf(route.destination);
  const commands = [[...ip, target, ...(gateway ? ["via", gateway] : []), "dev", card, ...metric]];
  // Hosting companies have gateways outside the address's own network.
  if (gateway !== undefined && !isLinkLocal(gateway) && !isOnWire(gateway, addresses))
    commands.unshift([...ip, `${gateway}/${family === 4 ? 32 : 128}`, "dev", card]);
  return commands;
}

function isOnWire(gateway: string, addresses: readonly string[]): boolean {
  return addresses.some((address) => {
    const prefix = address.split("/")[1] ?? "";
    return (
      familyOf(address) === familyOf(gateway) && networkOf(`${gateway}/${prefix}`) === networkOf(address)
    );
  });
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

function resolverOf(identity: Identity | undefined): NetworkSetup["resolver"] {
  const all = [
    identity?.dns,
    ...(identity?.interfaces ?? []).map(({ dnsServers, searchDomains }) => ({
      servers: dnsServers,
      searchDomains,
    })),
  ];
  const unique = (words: readonly string[]): string[] => [...new Set(words)];
  return {
    servers: unique(all.flatMap((one) => one?.servers ?? [])),
    searchDomains: unique(all.flatMap((one) => one?.searchDomains ?? [])),
  };
}
