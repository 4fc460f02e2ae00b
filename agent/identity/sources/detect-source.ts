import type { Identity } from "../../../format/identity.ts";
import { writtenBy, type ConfigFiles } from "../config-files.ts";
import { ifcfgPaths } from "./ifcfg.ts";
import { parseIfupdownStanzas } from "./ifupdown-stanzas.ts";
import { keyfilePaths } from "./networkmanager.ts";
import { networkdFiles } from "./networkd-files.ts";

export type NetworkSource = Identity["networkSource"];

/** Which network configurations are there, the one in charge first. Files we wrote ourselves are always in charge. */
export function detectSources(files: ConfigFiles): NetworkSource[] {
  const found = new Map<NetworkSource, string[]>([
    ["ifcfg", ifcfgPaths(files)],
    ["ifupdown", ifupdownPaths(files)],
    ["networkd", networkdEnabled(files) ? networkdPaths(files) : []],
    ["networkmanager", keyfilePaths(files)],
  ]);
  const present = [...found.keys()].filter((source) => (found.get(source) ?? []).length > 0);
  const ours = present.filter((source) => (found.get(source) ?? []).some((path) => writtenBy(path, files)));
  return [...ours, ...present.filter((source) => !ours.includes(source))];
}

/** networkd's configuration counts only where it runs: many systems ship files for it that nobody reads. */
function networkdEnabled(files: ConfigFiles): boolean {
  return [...files.keys()].some((path) => path.endsWith(".wants/systemd-networkd.service"));
}

function networkdPaths(files: ConfigFiles): string[] {
  return networkdFiles(files, ".network")
    .map((file) => file.path)
    .filter((path) => !path.includes("/lib/systemd/"));
}

function ifupdownPaths(files: ConfigFiles): string[] {
  return parseIfupdownStanzas(files)
    .stanzas.filter((stanza) => stanza.name !== "lo")
    .map((stanza) => stanza.where.replace(/:\d+$/, ""));
}
