import type { ConfigFiles } from "./config-files.ts";
import type { RootFolder } from "./root-folder.ts";
import { ifupdownSourcePatterns } from "./sources/ifupdown-stanzas.ts";
import { networkdFolders } from "./sources/networkd-files.ts";

const patterns = [
  "/etc/resolv.conf",
  "/etc/sysconfig/network",
  "/etc/sysconfig/network-scripts/ifcfg-*",
  "/etc/sysconfig/network-scripts/route-*",
  "/etc/sysconfig/network-scripts/route6-*",
  "/etc/network/interfaces",
  "/etc/udev/rules.d/70-persistent-net.rules",
  "/etc/NetworkManager/NetworkManager.conf",
  "/etc/NetworkManager/conf.d/*.conf",
  "/etc/NetworkManager/system-connections/*",
  "/etc/systemd/resolved.conf",
  "/etc/systemd/resolved.conf.d/*.conf",
  "/etc/systemd/system/*.wants/systemd-networkd.service",
  // Where netplan enables it.
  "/run/systemd/generator*/*.wants/systemd-networkd.service",
  "/run/systemd/system/*.wants/systemd-networkd.service",
  ...networkdFolders.flatMap((folder) =>
    [".network", ".link", ".netdev"].flatMap((suffix) => [
      `${folder}/*${suffix}`,
      `${folder}/*${suffix}.d/*.conf`,
    ]),
  ),
] as const;

/** Every file that network settings may stand in. A link to /dev/null is there as an empty text: it masks. */
export async function readConfigFiles(root: RootFolder): Promise<ConfigFiles> {
  const files = new Map<string, string>();
  await addMatches(root, patterns, files);
  const sourced = new Set<string>();
  // What is sourced may source more; the bound is against circles.
  for (let round = 0; round < 10; round++) {
    const next = ifupdownSourcePatterns(files).filter((pattern) => !sourced.has(pattern));
    if (next.length === 0) break;
    for (const pattern of next) sourced.add(pattern);
    await addMatches(root, next, files);
  }
  return files;
}

async function addMatches(
  root: RootFolder,
  wanted: readonly string[],
  files: Map<string, string>,
): Promise<void> {
  for (const pattern of wanted) {
    for (const path of await root.glob(pattern)) {
      const text = await root.readText(path);
      const isUnit = path.includes("/systemd/");
      // A resolv.conf that is a link belongs to the program that owns its target.
      if (path === "/etc/resolv.conf" && (await root.lstat(path))?.isSymbolicLink() === true) continue;
      if (text !== undefined) files.set(path, text);
      else if (isUnit && (await root.stat(path))?.isDirectory() !== true) files.set(path, "");
    }
  }
}
