import type { Identity } from "../../../format/identity.ts";
import type { NetworkFamily } from "../../../format/manifest.ts";
import { writtenByMarker } from "../config-files.ts";
import { renderNetwork } from "../targets/render-network.ts";
import { leaseDns } from "../targets/lease-dns.ts";
import { usesDhcp } from "../targets/resolv-conf.ts";
import type { TargetWriter } from "./target-writer.ts";
import { enableUnit, isUnitEnabled } from "./systemd-units.ts";

/** The old network in the target's own format, its service enabled, and nothing beside it that says otherwise. */
export async function restoreNetwork(
  target: TargetWriter,
  identity: Identity,
  family: NetworkFamily,
): Promise<void> {
  const files = renderNetwork(family, identity);
  await setAsideConflicts(target, family);
  await enableService(target, family);
  const resolved = family === "networkd" && (await wantsResolved(target, identity));
  for (const file of files) {
    if (file.path === "/etc/resolv.conf" && (resolved || (await isKept(target, identity, family)))) continue;
    // Hooks and drop-ins for programs the target does not have are litter.
    if (file.path.startsWith("/etc/dhcp/") && (await target.stat("/etc/dhcp")) === undefined) continue;
    if (
      family === "ifcfg" &&
      file.path.startsWith("/etc/NetworkManager/") &&
      (await target.stat("/etc/NetworkManager")) === undefined
    )
      continue;
    await target.replace(file.path, file.content, file.mode);
  }
  if (resolved) {
    await enableUnit(
      target,
      "systemd-resolved.service",
      "multi-user.target",
      "dbus-org.freedesktop.resolve1.service",
    );
    await target.link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
  }
  noteNames(target, identity, family);
}

async function setAsideConflicts(target: TargetWriter, family: NetworkFamily): Promise<void> {
  const ours = async (path: string): Promise<boolean> =>
    ((await target.readText(path)) ?? "").startsWith(writtenByMarker);
  const conflicts: string[] = [];
  if (family === "ifcfg") {
    const folder = "/etc/sysconfig/network-scripts";
    for (const kind of ["ifcfg", "route", "route6"])
      conflicts.push(...(await target.glob(`${folder}/${kind}-*`)));
  } else if (family === "ifupdown") {
    conflicts.push("/etc/network/interfaces");
  } else if (family === "networkd") {
    conflicts.push(
      ...(await target.glob("/etc/systemd/network/*.network")).filter(
        (path) => (path.split("/").at(-1) ?? "") < "05-dualroot-",
      ),
    );
  }
  for (const path of conflicts)
    if (!path.endsWith("/ifcfg-lo") && !(await ours(path))) await target.setAside(path);
}

async function enableService(target: TargetWriter, family: NetworkFamily): Promise<void> {
  switch (family) {
    case "networkd":
      await enableUnit(
        target,
        "systemd-networkd.service",
        "multi-user.target",
        "dbus-org.freedesktop.network1.service",
      );
      await enableUnit(target, "systemd-networkd.socket", "sockets.target");
      return;
    case "networkmanager":
      await enableUnit(target, "NetworkManager.service", "multi-user.target");
      return;
    case "ifupdown":
      await enableUnit(target, "networking.service", "multi-user.target");
      await enableUnit(target, "networking.service", "network-online.target");
      return;
    case "ifcfg":
      // initscripts' network is a System V script; where NetworkManager runs it reads the same files.
      if (await isUnitEnabled(target, "NetworkManager.service")) return;
      if ((await target.stat("/etc/rc.d/init.d/network")) === undefined) return;
      for (const level of [2, 3, 4, 5])
        await target.link(`/etc/rc.d/rc${level}.d/S10network`, "../init.d/network");
  }
}

/** Leases carry name servers that only resolved takes from networkd. */
async function wantsResolved(target: TargetWriter, identity: Identity): Promise<boolean> {
  if (await isUnitEnabled(target, "systemd-resolved.service")) return true;
  const installed =
    (await target.stat("/usr/lib/systemd/system/systemd-resolved.service")) ??
    (await target.stat("/lib/systemd/system/systemd-resolved.service"));
  if (!usesDhcp(identity)) return false;
  if (identity.resolver !== undefined && leaseDns(identity) === "ignored") return false;
  if (installed !== undefined) return true;
  target.notes.push(
    identity.resolver === undefined
      ? "The network is leased (DHCP) and the new system has no systemd-resolved: name servers of the lease are not used."
      : "The network is leased (DHCP) and the new system has no systemd-resolved: /etc/resolv.conf holds the name servers that were in use, and does not follow the lease.",
  );
  return false;
}

/** A link by which a program of the target writes what leases and interfaces bring; system-wide settings need the static file. */
async function isKept(target: TargetWriter, identity: Identity, family: NetworkFamily): Promise<boolean> {
  if (family === "networkd" || !usesDhcp(identity) || leaseDns(identity) === "ignored") return false;
  if (identity.dns.servers.length > 0 || identity.dns.searchDomains.length > 0) return false;
  const link = await target.linkTarget("/etc/resolv.conf");
  if (link === undefined) return false;
  return !link.includes("systemd/resolve") || isUnitEnabled(target, "systemd-resolved.service");
}

function noteNames(target: TargetWriter, identity: Identity, family: NetworkFamily): void {
  for (const one of identity.interfaces) {
    if (one.macAddress === undefined) {
      target.notes.push(
        `The card of interface ${one.name} is not known by its MAC address; the new system finds it by this name only.`,
      );
    }
  }
  const kernelNames = identity.interfaces.filter((one) => /^eth\d+$/.test(one.name));
  if (family === "ifupdown" && kernelNames.length > 1) {
    target.notes.push(
      `${kernelNames.map((one) => one.name).join(" and ")} are the kernel's own names: udev cannot swap them if the new kernel finds the cards in another order.`,
    );
  }
}
