import { parseMacAddress } from "../addresses.ts";
import type { ConfigFiles } from "../config-files.ts";
import { allValues, lastValue } from "./ini-sections.ts";
import { networkdFiles } from "./networkd-files.ts";

/** Interface name -> MAC address, from `.link` files and udev's 70-persistent-net.rules, which give names by MAC. */
export function linkMacAddresses(files: ConfigFiles): Map<string, string> {
  const result = new Map<string, string>();
  for (const link of networkdFiles(files, ".link")) {
    const name = lastValue(link.sections, "Link", "Name");
    const words = ["PermanentMACAddress", "MACAddress"]
      .flatMap((key) => allValues(link.sections, "Match", key))
      .join(" ")
      .split(/\s+/);
    const mac = words.length === 1 ? parseMacAddress(words[0] ?? "") : undefined;
    if (name !== undefined && mac !== undefined && !result.has(name)) result.set(name, mac);
  }
  for (const line of (files.get("/etc/udev/rules.d/70-persistent-net.rules") ?? "").split(/\r?\n/)) {
    const mac = parseMacAddress(/^[^#]*ATTR\{address\}=="([^"]*)"/.exec(line)?.[1] ?? "");
    const name = /\bNAME="([^"]*)"/.exec(line)?.[1];
    if (mac !== undefined && name !== undefined && !result.has(name)) result.set(name, mac);
  }
  return result;
}
