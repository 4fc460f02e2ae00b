import type { Identity, User } from "../../format/identity.ts";
import { parseGroup, type PasswdEntry } from "./accounts/account-tables.ts";
import { mayLogIn, parseSshdConfig } from "./host/sshd-config.ts";
import type { RootFolder } from "./root-folder.ts";

/** Who the ssh server lets in, and where; undefined when there is no server. */
export async function readSshServer(
  folder: RootFolder,
  users: readonly User[],
): Promise<Identity["sshServer"]> {
  const paths = ["/etc/ssh/sshd_config", ...(await folder.glob("/etc/ssh/sshd_config.d/*.conf"))];
  const files = new Map<string, string>();
  for (const path of paths) {
    const text = await folder.readText(path);
    if (text !== undefined) files.set(path, text);
  }
  if (!files.has("/etc/ssh/sshd_config")) return undefined;
  const settings = parseSshdConfig(files);
  const groups = parseGroup((await folder.readText("/etc/group")) ?? "", []);
  const groupsOf = (user: PasswdEntry): string[] =>
    groups
      .filter(({ gid, members }) => gid === user.gid || members.includes(user.name))
      .map(({ name }) => name);
  return {
    ports: settings.ports,
    passwordLogin: settings.passwordLogin,
    rootLogin: settings.rootLogin,
    refusedUsers: users
      .filter((user) => !mayLogIn(settings, user.name, groupsOf(user)))
      .map(({ name }) => name),
  };
}
