import type { Identity } from "../../../format/identity.ts";
import { parseGroup } from "../accounts/account-tables.ts";
import { mergeHosts } from "../host/hosts.ts";
import { renderSudoRules } from "../host/sudo-rules.ts";
import type { TargetWriter } from "./target-writer.ts";

/** Names, machine id, time zone, sudo rules; and whatever would overwrite them at the first boot, switched off. */
export async function restoreHost(
  target: TargetWriter,
  identity: Identity,
  groupFile: string,
): Promise<void> {
  const { hostname, machineId } = identity;
  if (hostname !== undefined) {
    await target.replace("/etc/hostname", `${hostname}\n`);
    await replaceSysconfigHostname(target, hostname);
  }
  await target.write(
    "/etc/hosts",
    mergeHosts((await target.readText("/etc/hosts")) ?? "", identity.hosts, hostname),
  );
  if (machineId !== undefined) {
    await target.replace("/etc/machine-id", `${machineId}\n`, 0o444);
    if ((await target.stat("/var/lib/dbus"))?.isDirectory() === true)
      await target.link("/var/lib/dbus/machine-id", "/etc/machine-id");
  }
  await restoreTimeZone(target, identity.timeZone);
  await restoreSudoRules(target, identity.sudoRules ?? [], groupFile);
  await quietCloudInit(target);
  await requestRelabel(target);
}

async function replaceSysconfigHostname(target: TargetWriter, hostname: string): Promise<void> {
  const text = await target.readText("/etc/sysconfig/network");
  if (text === undefined || !/^\s*HOSTNAME=/m.test(text)) return;
  await target.write("/etc/sysconfig/network", text.replace(/^\s*HOSTNAME=.*$/m, `HOSTNAME=${hostname}`));
}

async function restoreTimeZone(target: TargetWriter, zone: string | undefined): Promise<void> {
  if (zone === undefined) return;
  if ((await target.stat(`/usr/share/zoneinfo/${zone}`))?.isFile() !== true) {
    target.notes.push(`The new system has no data for the time zone ${zone}; it keeps its own.`);
    return;
  }
  await target.link("/etc/localtime", `../usr/share/zoneinfo/${zone}`);
  if ((await target.lstat("/etc/timezone")) !== undefined) await target.replace("/etc/timezone", `${zone}\n`);
}

async function restoreSudoRules(
  target: TargetWriter,
  rules: readonly string[],
  groupFile: string,
): Promise<void> {
  if (rules.length === 0) return;
  if ((await target.stat("/etc/sudoers.d"))?.isDirectory() !== true) {
    target.notes.push("The new system has no /etc/sudoers.d; rules of the old /etc/sudoers are not carried.");
    return;
  }
  const groups = new Set(parseGroup(groupFile, []).map((group) => group.name));
  const administrators = ["sudo", "wheel", "admin"].find((name) => groups.has(name));
  await target.replace("/etc/sudoers.d/dualroot", renderSudoRules(rules, administrators), 0o440);
}

/** cloud-init takes a converted gateway for a new machine: it would delete host keys and write its own network. */
async function quietCloudInit(target: TargetWriter): Promise<void> {
  if ((await target.stat("/etc/cloud"))?.isDirectory() !== true) return;
  const settings = [
    "network: {config: disabled}",
    "preserve_hostname: true",
    "manage_etc_hosts: false",
    "ssh_deletekeys: false",
    "disable_root: false",
  ];
  await target.replace(
    "/etc/cloud/cloud.cfg.d/99-dualroot.cfg",
    `# Written by dualroot: the old system's identity stays\n${settings.join("\n")}\n`,
  );
}

/** Files we made have no SELinux label, and sshd may not read keys without one. */
async function requestRelabel(target: TargetWriter): Promise<void> {
  const config = (await target.readText("/etc/selinux/config")) ?? "";
  const type = /^\s*SELINUXTYPE=(\w+)/m.exec(config)?.[1];
  if (!/^\s*SELINUX=(enforcing|permissive)\s*$/m.test(config) || type === undefined) return;
  if ((await target.stat(`/etc/selinux/${type}/contexts/files`))?.isDirectory() !== true) return;
  await target.write("/.autorelabel", "");
  target.notes.push("The new system uses SELinux: its first boot labels all files and restarts once.");
}
