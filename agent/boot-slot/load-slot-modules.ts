import type { Session } from "../ramdisk/session.ts";
import { exists } from "../system/files.ts";
import { firewallModules, networkModules } from "./slot-modules.ts";

/** Either is enough for a firewall: nft's own, or the tables of old iptables. */
const firewallCores = ["nf_tables", "ip_tables"];

/**
 * Loads what the slot's firewall and network may ask of the kernel, for the slot has no modules of this one. A gateway whose firewall
 * stays off must not come up without a word.
 */
export async function loadSlotModules({ run, tell }: Pick<Session, "run" | "tell">): Promise<void> {
  // 1: this kernel has some of them not, or built in.
  const options = { acceptExitCodes: [1, 2], timeoutSeconds: 120 };
  // By itself it would make a bond0 that nobody asked for.
  await run("modprobe", ["-q", "bonding", "max_bonds=0"], options);
  await run("modprobe", ["-a", "-q", ...networkModules, ...firewallModules], options);
  const loaded = await Promise.all(firewallCores.map((name) => exists(`/sys/module/${name}`)));
  if (!loaded.includes(true))
    tell("WARNING: the ramdisk's kernel has no packet filter: a firewall in the slot stays OFF.");
}
