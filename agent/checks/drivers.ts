import type { Facts } from "../facts/facts.ts";
import { fail, type Check, type Finding } from "./check.ts";

/** Drivers that newer kernels have under another name. */
const successors: Record<string, string> = {
  mpt2sas: "mpt3sas",
  cciss: "hpsa",
  sd: "sd_mod",
  r8168: "r8169",
};

/** The ramdisk writes the disk and the new system boots from it and answers on the network: both need the drivers in use now. */
export const drivers: Check = {
  name: "drivers",
  title: "Drivers",
  run: ({ facts, manifest }) => {
    const { storageDrivers } = facts;
    const network = networkDrivers(facts);
    const findings: Finding[] = [
      ...missing(storageDrivers, manifest.ramdisk.drivers).map((driver) =>
        fail({
          code: "driver-missing-in-ramdisk",
          message: `The disk needs the driver ${driver}; the ramdisk (kernel ${manifest.ramdisk.kernelVersion}) does not have it.`,
          hint: "Build the package with a ramdisk that has this driver.",
        }),
      ),
      ...missing([...storageDrivers, ...network.keys()], manifest.target.drivers).map((driver) =>
        fail({
          code: "driver-missing-in-target",
          message: `${network.has(driver) ? `The interface ${network.get(driver)}` : "The disk"} needs the driver ${driver}; the new system (kernel ${manifest.target.kernelVersion}) does not have it.`,
          hint: "Build the package from a root filesystem whose kernel has this driver.",
        }),
      ),
    ];
    if (findings.length > 0) return findings;
    return [...storageDrivers, ...network.keys()].join(", ") || "none needed";
  },
};

/** Driver -> interface, for hardware that is up or carries an address. */
function networkDrivers(facts: Facts): Map<string, string> {
  const used = facts.interfaces.filter(({ up, addresses }) => up || addresses.length > 0);
  return new Map(used.flatMap(({ driver, name }) => (driver === undefined ? [] : [[driver, name] as const])));
}

function missing(needed: readonly string[], present: readonly string[]): string[] {
  const have = new Set(present);
  return needed.filter((driver) => !have.has(driver) && !have.has(successors[driver] ?? driver));
}
