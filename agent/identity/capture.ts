import type { Problem } from "../../format/errors.ts";
import { identitySchema, type Identity } from "../../format/identity.ts";
import type { InterfaceFacts } from "../facts/facts.ts";
import { parseHosts } from "./host/hosts.ts";
import { readHostname } from "./host/hostname.ts";
import { readMachineId } from "./host/machine-id.ts";
import { parseSudoRules } from "./host/sudo-rules.ts";
import { readTimeZone } from "./host/time-zone.ts";
import { readAccounts } from "./read-accounts.ts";
import { readConfigFiles } from "./read-config-files.ts";
import { readNetwork } from "./read-network.ts";
import { readSshServer } from "./read-ssh-server.ts";
import { RootFolder } from "./root-folder.ts";

export { capturePreserved } from "./capture-preserved.ts";

/**
 * Everything that makes the system in `root` that system. Nothing it meets throws: what cannot be read or carried is a problem.
 * `live` is what the running kernel shows, on the old system.
 */
export async function captureIdentity(
  root: string,
  live?: { interfaces: readonly InterfaceFacts[] },
): Promise<{ identity: Identity; problems: Problem[] }> {
  const folder = new RootFolder(root);
  const text = async (path: string): Promise<string> => (await folder.readText(path)) ?? "";
  const network = readNetwork(await readConfigFiles(folder), live?.interfaces);
  const problems = [...network.problems];
  const { accounts, ssh } = await readAccounts(folder);
  const sudo = await readSudoRules(folder);
  problems.push(...accounts.problems, ...ssh.problems, ...sudo.problems);
  const hostname = readHostname(await folder.readText("/etc/hostname"), network.hostname, problems);
  const machineId = readMachineId(
    await folder.readText("/etc/machine-id"),
    await folder.readText("/var/lib/dbus/machine-id"),
  );
  const timeZone = await readTimeZone(folder);
  const sshServer = await readSshServer(folder, accounts.users);
  const identity = identitySchema.parse({
    format: 1,
    ...(hostname === undefined ? {} : { hostname }),
    hosts: parseHosts(await text("/etc/hosts")),
    ...(machineId === undefined ? {} : { machineId }),
    ...(timeZone === undefined ? {} : { timeZone }),
    interfaces: network.interfaces,
    dns: network.dns,
    ...(network.resolver === undefined ? {} : { resolver: network.resolver }),
    users: accounts.users,
    groups: accounts.groups,
    administrators: accounts.administrators,
    networkSource: network.source,
    systemUsers: accounts.systemUsers,
    systemGroups: accounts.systemGroups,
    sshHostKeys: ssh.hostKeys,
    authorizedKeys: ssh.authorizedKeys,
    ...(sshServer === undefined ? {} : { sshServer }),
    sudoRules: sudo.rules,
  } satisfies Identity);
  return { identity, problems };
}

/** Rules of /etc/sudoers; on a converted system those stand in the file we wrote. */
async function readSudoRules(folder: RootFolder): Promise<ReturnType<typeof parseSudoRules>> {
  const main = parseSudoRules((await folder.readText("/etc/sudoers")) ?? "");
  const ours = parseSudoRules((await folder.readText("/etc/sudoers.d/dualroot")) ?? "");
  return { rules: [...new Set([...main.rules, ...ours.rules])], problems: main.problems };
}
