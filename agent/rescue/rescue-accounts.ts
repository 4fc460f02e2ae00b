import type { Identity, User } from "../../format/identity.ts";
import { isUsableHash } from "../identity/accounts/account-tables.ts";

/** Somebody who may become root on the gateway, and so is root here. */
export interface RescueAccount {
  name: string;
  /** As it stands in the gateway's shadow; `*` where no password may be used. */
  hash: string;
  /** The home folder whose authorized_keys count. */
  home: string;
}

/** The settings of a gateway whose sshd_config nobody knows: what OpenSSH does by itself. */
export const usualSshServer: NonNullable<Identity["sshServer"]> = {
  ports: [22],
  passwordLogin: true,
  rootLogin: "keys",
  refusedUsers: [],
};

/**
 * Root as the gateway's ssh server lets it in, and everybody who may become root by group or by a plain sudo rule; never
 * somebody whose account is closed. `today` in days since 1970, by whatever clock there is.
 */
export function rescueAccounts(identity: Identity, today: number): RescueAccount[] {
  const { rootLogin, passwordLogin, refusedUsers } = identity.sshServer ?? usualSshServer;
  const rules = (identity.sudoRules ?? []).map((rule) => rule.split(" ")[0] ?? "");
  const mayBecomeRoot = (user: User): boolean =>
    identity.administrators.includes(user.name) ||
    rules.includes(user.name) ||
    identity.groups.some(
      (group) =>
        rules.includes(`%${group.name}`) && (group.gid === user.gid || group.members.includes(user.name)),
    );
  return identity.users
    .filter((user) => !refusedUsers.includes(user.name) && isOpen(user, today))
    .filter((user) => (user.name === "root" ? rootLogin !== "no" : mayBecomeRoot(user)))
    .map((user) => {
      const mayUsePassword = passwordLogin && (user.name !== "root" || rootLogin === "yes");
      const hash = user.shadow?.[0];
      const isUsable = mayUsePassword && hash !== undefined && hash !== "" && isUsableHash(hash);
      return { name: user.name, hash: isUsable ? hash : "*", home: user.home };
    });
}

/** A clock that was never set must not let an account in that expired, nor keep one out: 0 and 1 mean closed on purpose. */
function isOpen(user: User, today: number): boolean {
  if (/\/(nologin|false)$/.test(user.shell)) return false;
  const expires = user.shadow?.[6] ?? "";
  return !/^\d+$/.test(expires) || (Number(expires) > 1 && Number(expires) >= today);
}

/** passwd, shadow and shells of the rescue system: all are root, with a home of their own below `homes`. */
export function accountFiles(
  accounts: readonly RescueAccount[],
  homes: string,
): { passwd: string; shadow: string } {
  const root = accounts.find(({ name }) => name === "root");
  const others = accounts.filter(({ name }) => name !== "root");
  const line = (name: string): string => `${name}:x:0:0:${name}:${homes}/${name}:/bin/sh\n`;
  const shadow = (name: string, hash: string): string => `${name}:${hash}:::::::\n`;
  return {
    // Root first: programs ask for the name of number 0.
    passwd: ["root", ...others.map(({ name }) => name)].map(line).join(""),
    shadow: [shadow("root", root?.hash ?? "*"), ...others.map(({ name, hash }) => shadow(name, hash))].join(
      "",
    ),
  };
}
