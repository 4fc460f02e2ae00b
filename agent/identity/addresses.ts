import { isIPv4, isIPv6 } from "node:net";

export type AddressFamily = 4 | 6;

/** Canonical text of an IPv4 or IPv6 address without zone (RFC 5952), or undefined. */
export function parseAddress(text: string): string | undefined {
  const trimmed = text.trim();
  if (isIPv4(trimmed)) return trimmed;
  if (trimmed.length > 45 || trimmed.includes("%") || !isIPv6(trimmed)) return undefined;
  return new URL(`http://[${trimmed}]`).hostname.slice(1, -1);
}

/** A name server or gateway: may carry a zone, `fe80::1%eth0`. */
export function parseZonedAddress(text: string): string | undefined {
  const [address, zone, ...rest] = text.trim().split("%");
  const canonical = address === undefined ? undefined : parseAddress(address);
  if (canonical === undefined || rest.length > 0) return undefined;
  if (zone === undefined) return canonical;
  return familyOf(canonical) === 6 && /^[A-Za-z0-9._-]{1,15}$/.test(zone)
    ? `${canonical}%${zone}`
    : undefined;
}

/** `4` or `6` of an address or `ADDRESS/PREFIX`. */
export function familyOf(addressOrCidr: string): AddressFamily {
  return addressOrCidr.includes(":") ? 6 : 4;
}

/** `255.255.255.0` -> 24; undefined for a mask with holes. */
export function prefixOfNetmask(mask: string): number | undefined {
  if (!isIPv4(mask.trim())) return undefined;
  const bits = ipv4Number(mask.trim());
  const inverted = ~bits >>> 0;
  return (inverted & (inverted + 1)) === 0 ? 32 - Math.round(Math.log2(inverted + 1)) : undefined;
}

/** `ADDRESS/PREFIX` or `ADDRESS/NETMASK`; without either, `defaultPrefix`, else undefined. */
export function parseCidr(text: string, defaultPrefix?: number): string | undefined {
  const [rawAddress, rawPrefix, ...rest] = text.trim().split("/");
  const address = rawAddress === undefined ? undefined : parseAddress(rawAddress);
  if (address === undefined || rest.length > 0) return undefined;
  const prefix = rawPrefix === undefined ? defaultPrefix : parsePrefix(rawPrefix);
  if (prefix === undefined || prefix > (familyOf(address) === 4 ? 32 : 128)) return undefined;
  return `${address}/${prefix}`;
}

/** `24` or `255.255.255.0`. */
export function parsePrefix(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text.trim())) return Number(text.trim());
  return prefixOfNetmask(text);
}

/** Prefix of the pre-CIDR address classes, which initscripts and ifupdown assume when no mask is given. */
export function classfulPrefix(address: string): number {
  const first = Number(address.split(".")[0]);
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

/** `192.0.2.77/24` -> `192.0.2.0/24`. */
export function networkOf(cidr: string): string {
  const [address = "", prefixText = "0"] = cidr.split("/");
  const prefix = Number(prefixText);
  if (familyOf(address) === 4) {
    const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
    const bits = (ipv4Number(address) & mask) >>> 0;
    return `${[24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".")}/${prefix}`;
  }
  const groups = ipv6Groups(address).map((group, index) => {
    const kept = Math.min(16, Math.max(0, prefix - index * 16));
    return (group & (0xffff << (16 - kept)) & 0xffff).toString(16);
  });
  return `${parseAddress(groups.join(":")) ?? address}/${prefix}`;
}

/** Netmask of an IPv4 prefix length. */
export function netmaskOf(prefix: number): string {
  return networkOf(`255.255.255.255/${prefix}`).split("/")[0] ?? "";
}

export function defaultDestination(family: AddressFamily): string {
  return family === 4 ? "0.0.0.0/0" : "::/0";
}

/** `52:54:00:AB:CD:EF`, also with `-`; undefined for anything else and for the all-zero address. */
export function parseMacAddress(text: string): string | undefined {
  const mac = text.trim().toLowerCase().replaceAll("-", ":");
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && mac !== "00:00:00:00:00:00" ? mac : undefined;
}

function ipv4Number(address: string): number {
  return address.split(".").reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);
}

/** Eight 16-bit numbers of a canonical IPv6 address. */
function ipv6Groups(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const numbers = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const left = numbers(head);
  if (tail === undefined) return left;
  const right = numbers(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
