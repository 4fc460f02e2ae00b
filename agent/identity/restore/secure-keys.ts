import { chmod } from "node:fs/promises";
import type { PasswdEntry } from "../accounts/account-tables.ts";
import { parseGroup } from "../accounts/account-tables.ts";
import type { TargetWriter } from "./target-writer.ts";

/** Owners and modes without which sshd and sudo refuse to read what was carried. */
export async function secureKeys(
  target: TargetWriter,
  users: readonly PasswdEntry[],
  groupFile: string,
): Promise<void> {
  // CentOS has host keys at 0640 for a group of its own; every other sshd calls that unprotected and does not start.
  for (const path of await target.glob("/etc/ssh/ssh_host_*_key")) await secure(target, path, 0, 0, 0o600);
  for (const path of await target.glob("/etc/sudoers.d/*")) await secure(target, path, 0, 0, 0o440);
  for (const user of users) {
    if (user.home === "/" || !user.home.startsWith("/")) continue;
    const folder = `${user.home}/.ssh`;
    if ((await target.stat(folder))?.isDirectory() !== true) continue;
    const real = (await target.resolve(folder)) ?? folder;
    await target.own(real, user.uid, user.gid);
    await chmod(target.outside(real), 0o700);
    for (const name of ["authorized_keys", "authorized_keys2"])
      await secure(target, `${folder}/${name}`, user.uid, user.gid, 0o600);
  }
  await noteMissingGroups(target, groupFile);
}

async function secure(
  target: TargetWriter,
  path: string,
  uid: number,
  gid: number,
  mode: number,
): Promise<void> {
  if ((await target.lstat(path))?.isFile() !== true) return;
  const real = (await target.resolve(path)) ?? path;
  await target.own(real, uid, gid);
  await chmod(target.outside(real), mode);
}

async function noteMissingGroups(target: TargetWriter, groupFile: string): Promise<void> {
  const groups = new Set(parseGroup(groupFile, []).map((group) => group.name));
  for (const path of await target.glob("/etc/sudoers.d/*")) {
    const text = (await target.readText(path)) ?? "";
    for (const match of text.matchAll(/^\s*%([A-Za-z_][A-Za-z0-9_.-]*)\s/gm)) {
      const name = match[1] ?? "";
      if (!groups.has(name))
        target.notes.push(`${path} has a rule for the group ${name}, which the new system does not have.`);
    }
  }
}
