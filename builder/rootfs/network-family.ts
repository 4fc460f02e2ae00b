import { exists, readTextIfExists } from "../../agent/system/files.ts";
import { rootedPath } from "./rooted-path.ts";

/** What of each way to configure a network the root filesystem has. */
export interface NetworkFacts {
  networkmanager: "enabled" | "installed" | "absent";
  networkd: "enabled" | "installed" | "absent";
  ifupdown: "enabled" | "installed" | "absent";
  /** Red Hat's network-scripts, or NetworkManager's plugin that reads ifcfg files. */
  ifcfg: "enabled" | "installed" | "absent";
}

export async function readNetworkFacts(root: string): Promise<NetworkFacts> {
  const has = async (path: string) => await exists(await rootedPath(root, path));
  const enabled = async (unit: string) => {
    for (const folder of ["/etc/systemd/system", "/usr/lib/systemd/system"]) {
      for (const target of [
        "multi-user.target.wants",
        "network.target.wants",
        "network-online.target.wants",
        "sysinit.target.wants",
      ]) {
        if (await has(`${folder}/${target}/${unit}`)) return true;
      }
    }
    return false;
  };
  const state = async (program: string, unit: string) =>
    !(await has(program)) ? "absent" : (await enabled(unit)) ? "enabled" : "installed";
  const networkmanager = await state("/usr/sbin/NetworkManager", "NetworkManager.service");
  const scripts = await has("/etc/sysconfig/network-scripts/ifup");
  const plugin =
    networkmanager !== "absent" && (await has("/etc/sysconfig/network-scripts")) && (await isOldRedHat(root));
  return {
    networkmanager,
    networkd: await state("/usr/lib/systemd/systemd-networkd", "systemd-networkd.service"),
    ifupdown: await state("/usr/sbin/ifup", "networking.service").then(async (found) =>
      (await has("/etc/network")) ? found : "absent",
    ),
    ifcfg: scripts || plugin ? "enabled" : "absent",
  };
}

/** Before release 9 NetworkManager reads and writes ifcfg files there. */
async function isOldRedHat(root: string): Promise<boolean> {
  const release = (await readTextIfExists(await rootedPath(root, "/etc/os-release"))) ?? "";
  return (
    /^(?:ID|ID_LIKE)=.*(?:rhel|centos)/m.test(release) &&
    Number(/^VERSION_ID="?(\d+)/m.exec(release)?.[1] ?? 99) < 9
  );
}
