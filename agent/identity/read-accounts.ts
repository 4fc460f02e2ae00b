import { parsePasswd } from "./accounts/account-tables.ts";
import { selectAccounts, type Accounts } from "./accounts/select-accounts.ts";
import { readSshIdentity, type SshIdentity } from "./read-ssh-identity.ts";
import type { RootFolder } from "./root-folder.ts";

/** The people of a system and their keys: an account with keys is a person's, whatever its number. */
export async function readAccounts(folder: RootFolder): Promise<{ accounts: Accounts; ssh: SshIdentity }> {
  const text = async (path: string): Promise<string> => (await folder.readText(path)) ?? "";
  const passwd = await text("/etc/passwd");
  const ssh = await readSshIdentity(folder, parsePasswd(passwd, []));
  const accounts = selectAccounts({
    passwd,
    shadow: await text("/etc/shadow"),
    group: await text("/etc/group"),
    loginDefs: await text("/etc/login.defs"),
    withKeys: new Set(ssh.authorizedKeys.map((entry) => entry.user)),
  });
  return { accounts, ssh };
}
