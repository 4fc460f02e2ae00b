import { dirname } from "node:path";
import type { Tree } from "./tree.ts";

/** Where a built-in driver has no module link, its own name; these differ from their module's. */
const moduleOfDriver: Record<string, string> = {
  sd: "sd_mod",
  sr: "sr_mod",
  usb: "usbcore",
  hub: "usbcore",
  storvsc: "hv_storvsc",
  netvsc: "hv_netvsc",
  vmbus: "hv_vmbus",
  vbd: "xen_blkfront",
  vif: "xen_netfront",
};
/** Bus plumbing every kernel has built in; a missing module of that name says nothing. */
const plumbing = new Set(["pcieport", "shpchp", "usbcore", "acpi", "button"]);

/** Modules bound to a device and to everything above it, nearest first: `sd_mod`, `mptspi`. */
export async function driverChain(tree: Tree, devicePath: string): Promise<string[]> {
  const modules: string[] = [];
  let folder = await tree.resolve(devicePath);
  while (folder !== undefined && folder !== "/" && folder.startsWith("/sys/devices")) {
    const name = await driverModule(tree, folder);
    if (name !== undefined && !plumbing.has(name) && !modules.includes(name)) modules.push(name);
    folder = dirname(folder);
  }
  return modules;
}

/** Module of the driver bound to this very device. */
export async function driverModule(tree: Tree, folder: string): Promise<string | undefined> {
  const module = await tree.resolve(`${folder}/driver/module`);
  if (module !== undefined) return normalise(baseName(module));
  const driver = await tree.resolve(`${folder}/driver`);
  if (driver === undefined) return undefined;
  const name = baseName(driver);
  return moduleOfDriver[name] ?? normalise(name);
}

export async function storageDrivers(tree: Tree, disks: readonly { name: string }[]): Promise<string[]> {
  const modules = new Set<string>();
  for (const disk of disks) {
    const device = `/sys/block/${disk.name}/device`;
    for (const module of await driverChain(tree, device)) modules.add(module);
    // An NVMe namespace with multipath hangs below a virtual subsystem; its controllers are links inside.
    for (const child of await tree.list(device)) {
      if (!/^nvme\d+$/.test(child)) continue;
      for (const module of await driverChain(tree, `${device}/${child}/device`)) modules.add(module);
    }
  }
  return [...modules].sort();
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function normalise(name: string): string {
  return name.replaceAll("-", "_");
}
