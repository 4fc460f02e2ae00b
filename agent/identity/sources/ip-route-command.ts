import { defaultDestination, familyOf, parsePrefix, type AddressFamily } from "../addresses.ts";

export interface RouteWords {
  destination: string;
  gateway?: string;
  metric?: string;
}

/**
 * The words after `ip route add`, as in route-eth0 and `up` lines: `[to] 10.0.0.0/8 via 192.0.2.1 dev eth0 metric 5`.
 * Undefined when a word is there whose loss would change the route (`table`, `src`, `blackhole`, `nexthop` …).
 */
export function parseIpRouteWords(words: readonly string[], family?: AddressFamily): RouteWords | undefined {
  const rest = [...words];
  const route: Partial<RouteWords> = {};
  if (rest[0] === "to" || rest[0] === "unicast") rest.shift();
  const first = rest.shift();
  if (first === undefined) return undefined;
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === "onlink") continue;
    const value = rest.shift();
    if (value === undefined) return undefined;
    if (word === "via") {
      const address = value === "inet" || value === "inet6" ? rest.shift() : value;
      if (address === undefined) return undefined;
      route.gateway = address;
    } else if (word === "metric" || word === "preference" || word === "priority") {
      route.metric = value;
    } else if (
      word === "table" ? value !== "main" && value !== "254" : !["dev", "proto", "scope"].includes(word ?? "")
    ) {
      return undefined;
    }
  }
  const guess = family ?? (route.gateway === undefined ? 4 : familyOf(route.gateway));
  const destination = first === "default" ? defaultDestination(guess) : first;
  if (!/^[0-9a-fA-F.:]+(\/\d{1,3}|\/[0-9.]+)?$/.test(destination)) return undefined;
  return { ...route, destination };
}

/** Route commands met in `up` lines: `ip [-6] route add …` and `route add -net … netmask … gw …`. Undefined: not recognised. */
export function parseRouteCommand(command: string): RouteWords | undefined {
  const words = command
    .replace(/\s*(\|\|\s*(true|:|\/bin\/true)|>\s*\/dev\/null|2>\s*(\/dev\/null|&1))\s*/g, " ")
    .trim()
    .split(/\s+/);
  if (words.some((word) => /[;&|`$(){}<>]/.test(word.replace(/^\$\{?IFACE\}?$/, "")))) return undefined;
  const program = words.shift()?.replace(/^(\/usr)?\/s?bin\//, "");
  if (program === "ip") return ipCommand(words);
  return program === "route" ? routeCommand(words) : undefined;
}

function ipCommand(words: string[]): RouteWords | undefined {
  let family: AddressFamily | undefined;
  while (words[0]?.startsWith("-") === true) {
    const option = words.shift();
    if (option === "-4") family = 4;
    else if (option === "-6") family = 6;
    else if (option === "-family" || option === "-f") family = words.shift() === "inet6" ? 6 : 4;
    else return undefined;
  }
  const isRoute = ["route", "ro", "r"].includes(words.shift() ?? "");
  const adds = ["add", "a", "replace", "append", "change"].includes(words.shift() ?? "");
  return isRoute && adds ? parseIpRouteWords(words, family) : undefined;
}

/** net-tools: `route [-A inet6] add [-net|-host] TARGET [netmask M] [gw G] [metric N] [dev D]`. */
function routeCommand(words: string[]): RouteWords | undefined {
  let family: AddressFamily = 4;
  if (words[0] === "-A" || words[0] === "--inet6" || words[0] === "-6") {
    if (words.shift() !== "-A" || words.shift() === "inet6") family = 6;
  }
  if (words.shift() !== "add") return undefined;
  let target = words.shift();
  const host = target === "-host";
  if (target === "-net" || target === "-host") target = words.shift();
  if (target === undefined) return undefined;
  const route: Partial<RouteWords> = {};
  let prefix: number | undefined;
  while (words.length > 0) {
    const word = words.shift();
    const value = words.shift();
    if (value === undefined) {
      // A lone last word is the device.
      break;
    }
    if (word === "gw") route.gateway = value;
    else if (word === "metric") route.metric = value;
    else if (word === "netmask") {
      prefix = parsePrefix(value);
      if (prefix === undefined) return undefined;
    } else if (word !== "dev") return undefined;
  }
  if (target === "default") return { ...route, destination: defaultDestination(family) };
  if (!/^[0-9a-fA-F.:]+(\/\d{1,3})?$/.test(target)) return undefined;
  if (target.includes("/")) return { ...route, destination: target };
  if (host || prefix !== undefined)
    return { ...route, destination: `${target}/${host ? (family === 4 ? 32 : 128) : prefix}` };
  return { ...route, destination: target };
}
