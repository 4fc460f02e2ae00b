import type { ConfigFiles } from "./config-files.ts";
import { isRuntimeResolvConf } from "./read-resolver.ts";
import type { RootFolder } from "./root-folder.ts";
import { ifupdownSourcePatterns } from "./sources/ifupdown-stanzas.ts";
import { networkdFolders } from "./sources/networkd-files.ts";

const patterns = [
  "/etc/sysconfig/network",
  "/etc/sysconfig/network-scripts/ifcfg-*",
  "/etc/sysconfig/network-scripts/route-*",
  "/etc/sysconfig/network-scripts/route6-*",
  "/etc/network/interfaces",
  "/var/lib/dhcp/dhclient*.leases",
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
  await addResolvConf(root, files);
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
      if (text !== undefined) files.set(path, text);
      else if (isUnit && (await root.stat(path))?.isDirectory() !== true) files.set(path, "");
    }
  }
}

/** The text that names are resolved by: a link into /run belongs to a program, and resolved's stub hides the servers it asks. */
async function addResolvConf(root: RootFolder, files: Map<string, string>): Promise<void> {
  const link = "/etc/resolv.conf";
  const resolved = await root.resolve(link);
  const text = await root.readText(link);
  if (resolved === undefined || text === undefined) return;
  const path = isRuntimeResolvConf(resolved) ? resolved : link;
  const behindStub = "/run/systemd/resolve/resolv.conf";
  const servers = /^\s*nameserver\s+127\.0\.0\.53\b/m.test(text)
    ? await root.readText(behindStub)
    : undefined;
  if (servers === undefined) files.set(path, text);
  else files.set(behindStub, servers);
}
