import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { moduleName } from "../plan/module-name.ts";
import { rootedPath } from "./rooted-path.ts";

/** Folders below kernel/drivers whose modules talk to disks, their controllers, or networks. */
const driverFolders = [
  "net",
  "scsi",
  "ata",
  "nvme",
  "block",
  "virtio",
  "message",
  "usb/storage",
  "usb/host",
  "hv",
  "xen",
  "md",
  "vmw_pvscsi",
  "mmc",
  "pci",
];
const inDriverFolder = new RegExp(String.raw`^kernel/drivers/(?:${driverFolders.join("|")})/`);

export interface KernelDrivers {
  /** Storage and network drivers, modules and built in, sorted, `_` for `-`. */
  all: string[];
  /** Everything compiled into the kernel, whatever its folder. */
  builtIn: string[];
}

/** `modulesPath`: lib/modules/VERSION of the root filesystem at `root`. */
export async function kernelDrivers(root: string, modulesPath: string): Promise<KernelDrivers> {
  const folder = await rootedPath(root, modulesPath);
  const list = await rootedPath(root, join(modulesPath, "modules.builtin"));
  const builtIn = (await readFile(list, "utf8").catch(() => "")).split("\n");
  const modules = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    // Updates and extra drivers of a vendor lie outside kernel/ and are drivers as a rule.
    .map((path) => path.replace(/^(?:updates|extra|weak-updates)\//, "kernel/drivers/net/"));
  const drivers = [...modules, ...builtIn].filter((path) => inDriverFolder.test(path)).flatMap(moduleName);
  return { all: [...new Set(drivers)].sort(), builtIn: [...new Set(builtIn.flatMap(moduleName))].sort() };
}
