import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { moduleName } from "../plan/module-name.ts";

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

/** `folder`: lib/modules/VERSION on this host's disk. */
export async function kernelDrivers(folder: string): Promise<KernelDrivers> {
  const builtIn = (await readFile(join(folder, "modules.builtin"), "utf8").catch(() => "")).split("\n");
  const modules = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    // Updates and extra drivers of a vendor lie outside kernel/ and are drivers as a rule.
    .map((path) => path.replace(/^(?:updates|extra|weak-updates)\//, "kernel/drivers/net/"));
  const drivers = [...modules, ...builtIn].filter((path) => inDriverFolder.test(path)).flatMap(moduleName);
  return { all: [...new Set(drivers)].sort(), builtIn: [...new Set(builtIn.flatMap(moduleName))].sort() };
}
