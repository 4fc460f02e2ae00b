import type { ConfigFiles } from "../config-files.ts";
import { parseIniSections, type IniSection } from "./ini-sections.ts";

/** In order of precedence: a file hides those of the same name in later folders. */
export const networkdFolders = [
  "/etc/systemd/network",
  "/run/systemd/network",
  "/usr/lib/systemd/network",
  "/lib/systemd/network",
] as const;

export interface NetworkdFile {
  path: string;
  name: string;
  sections: IniSection[];
}

/** All files of one kind (`.network`, `.link`, `.netdev`) with their drop-ins, in the order in which they apply; masked ones left out. */
export function networkdFiles(files: ConfigFiles, suffix: ".network" | ".link" | ".netdev"): NetworkdFile[] {
  const chosen = new Map<string, string>();
  for (const folder of networkdFolders) {
    for (const path of files.keys()) {
      const name = path.slice(folder.length + 1);
      if (path.startsWith(`${folder}/`) && name.endsWith(suffix) && !name.includes("/") && !chosen.has(name))
        chosen.set(name, path);
    }
  }
  return [...chosen.keys()].sort().flatMap((name) => {
    const path = chosen.get(name) ?? "";
    const text = files.get(path) ?? "";
    // Empty, or a link to /dev/null: masked.
    if (text.trim() === "") return [];
    const sections = [text, ...dropIns(files, name)].flatMap((part) =>
      parseIniSections(part, { continuation: true }),
    );
    return [{ path, name, sections }];
  });
}

function dropIns(files: ConfigFiles, name: string): string[] {
  const chosen = new Map<string, string>();
  for (const folder of networkdFolders) {
    const prefix = `${folder}/${name}.d/`;
    for (const [path, text] of files) {
      const dropIn = path.slice(prefix.length);
      if (path.startsWith(prefix) && dropIn.endsWith(".conf") && !dropIn.includes("/") && !chosen.has(dropIn))
        chosen.set(dropIn, text);
    }
  }
  return [...chosen.keys()].sort().map((dropIn) => chosen.get(dropIn) ?? "");
}
