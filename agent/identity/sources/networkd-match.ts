import type { Problem } from "../../../format/errors.ts";
import { parseMacAddress } from "../addresses.ts";
import type { ConfigFiles } from "../config-files.ts";
import { matchesGlob } from "./ifupdown-stanzas.ts";
import { allValues } from "./ini-sections.ts";
import type { NetworkdFile } from "./networkd-files.ts";
import { linkMacAddresses } from "./networkd-links.ts";
import type { LiveInterface } from "./networkd.ts";

/** The interfaces a .network file applies to: the machine's where they are known, else what its [Match] names. */
export function matchNetworkFile(
  file: NetworkdFile,
  files: ConfigFiles,
  live: readonly LiveInterface[],
  problems: Problem[],
): LiveInterface[] {
  const list = (key: string): string[] =>
    allValues(file.sections, "Match", key)
      .flatMap((value) => value.split(/\s+/))
      .filter(Boolean);
  const names = list("Name");
  const macs = [...list("PermanentMACAddress"), ...list("MACAddress")]
    .map(parseMacAddress)
    .filter((mac) => mac !== undefined);
  const unknownKeys = file.sections
    .filter((section) => section.name === "Match")
    .flatMap((section) => section.entries.map((entry) => entry.key))
    .filter(
      (key) =>
        ![
          "Name",
          "MACAddress",
          "PermanentMACAddress",
          "Type",
          "OriginalName",
          "Driver",
          "Path",
          "Property",
        ].includes(key),
    );
  // Such conditions (Virtualization=, Kind=, SSID= …) mean special cases; a file of the distribution's is one for sure.
  if (unknownKeys.length > 0) {
    if (isLocal(file)) problems.push(unresolved(file, `[Match] ${unknownKeys.join(", ")}`));
    return [];
  }
  if (live.length > 0) {
    const matched = live.filter(
      (one) => matchesNames(one.name, names) && (macs.length === 0 || macs.includes(one.macAddress ?? "")),
    );
    if (names.length > 0 || macs.length > 0) return matched;
    return [];
  }
  const linked = linkMacAddresses(files);
  const plain = names.filter((name) => !/[*?![]/.test(name));
  if (macs.length > 0) {
    const name = ourName(file.name) ?? plain[0] ?? [...linked].find(([, mac]) => mac === macs[0])?.[0];
    const [macAddress, ...more] = macs;
    if (name !== undefined && macAddress !== undefined && more.length === 0) return [{ name, macAddress }];
    problems.push(unresolved(file, `MACAddress ${macs.join(" ")}`));
    return [];
  }
  if (isLocal(file) && (plain.length < names.length || names.length === 0))
    problems.push(unresolved(file, `Name ${names.join(" ") || "missing"}`));
  return plain.map((name) => {
    const macAddress = linked.get(name);
    return macAddress === undefined ? { name } : { name, macAddress };
  });
}

function matchesNames(name: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  const negated = patterns[0]?.startsWith("!") === true;
  return patterns.some((pattern) => matchesGlob(pattern.replace(/^!/, ""), name)) !== negated;
}

/** Written for this machine, not shipped with the distribution. */
function isLocal(file: NetworkdFile): boolean {
  return file.path.startsWith("/etc/") || file.path.startsWith("/run/");
}

/** Files we wrote carry the old name in theirs. */
function ourName(fileName: string): string | undefined {
  return /^05-dualroot-(.+)\.network$/.exec(fileName)?.[1];
}

function unresolved(file: NetworkdFile, what: string): Problem {
  return {
    code: "network-match-unresolved",
    message: `${file.name} applies to interfaces that cannot be told without the machine: ${what}`,
    hint: "Nothing to do if another file names the interface; else name it by Name= or MACAddress=.",
    where: file.path,
  };
}
