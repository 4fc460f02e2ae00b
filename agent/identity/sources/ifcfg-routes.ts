import { classfulPrefix, familyOf, parsePrefix } from "../addresses.ts";
import type { ConfigFiles } from "../config-files.ts";
import type { InterfaceBuilder } from "../interface-builder.ts";
import { parseIpRouteWords } from "./ip-route-command.ts";
import { parseShellAssignments } from "./shell-assignments.ts";

/** route-eth0 in both syntaxes (`ADDRESS0=` and `ip route` lines) and route6-eth0. */
export function parseIfcfgRoutes(builder: InterfaceBuilder, path: string, files: ConfigFiles): void {
  const text = files.get(path);
  if (text === undefined) return;
  if (/^\s*(ADDRESS|GATEWAY)\d+=/m.test(text)) return numberedRoutes(builder, text);
  for (const rawLine of text.split(/\r?\n/)) {
    const line = rawLine.replace(/#.*/, "").trim();
    if (line === "") continue;
    const route = parseIpRouteWords(line.split(/\s+/), path.includes("/route6-") ? 6 : undefined);
    if (route === undefined) builder.notCarried(`route "${line.slice(0, 200)}"`);
    else builder.route(route.destination, route.gateway, route.metric);
  }
}

function numberedRoutes(builder: InterfaceBuilder, text: string): void {
  const values = parseShellAssignments(text);
  const numbers = [...values.keys()]
    .map((key) => /^ADDRESS(\d{1,4})$/.exec(key)?.[1])
    .filter((number) => number !== undefined);
  for (const number of numbers) {
    const address = values.get(`ADDRESS${number}`) ?? "";
    const mask = values.get(`NETMASK${number}`) ?? values.get(`PREFIX${number}`);
    const prefix =
      mask === undefined ? (familyOf(address) === 4 ? classfulPrefix(address) : 128) : parsePrefix(mask);
    if (prefix === undefined || Number.isNaN(prefix)) builder.unreadable("route", `${address} ${mask}`);
    else
      builder.route(
        `${address}/${prefix}`,
        values.get(`GATEWAY${number}`) || undefined,
        values.get(`METRIC${number}`),
      );
  }
}
