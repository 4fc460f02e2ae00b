import { expect, test } from "vitest";
import { accountFiles, rescueAccounts } from "../../../../agent/rescue/rescue-accounts.ts";
import type { Identity, User } from "../../../../format/identity.ts";

const today = 20_000;

function user(name: string, hash: string, more: Partial<User> & { expires?: string } = {}): User {
  const { expires = "", ...rest } = more;
  return {
    name,
    uid: name === "root" ? 0 : 1000,
    gid: name === "root" ? 0 : 1000,
    comment: "",
    home: name === "root" ? "/root" : `/home/${name}`,
    shell: "/bin/bash",
    shadow: [hash, "19000", "0", "99999", "7", "", expires, ""],
    ...rest,
  };
}

function identity(users: User[], more: Partial<Identity> = {}): Identity {
  return {
    format: 1,
    hosts: [],
    interfaces: [],
    dns: { servers: [], searchDomains: [] },
    users,
    groups: [],
    administrators: [],
    networkSource: "ifcfg",
    ...more,
  };
}

const ssh = { ports: [22], passwordLogin: true, rootLogin: "yes" as const, refusedUsers: [] };
const who = (one: Identity): string[] =>
  rescueAccounts(one, today).map(({ name, hash }) => `${name} ${hash}`);

test("root as PermitRootLogin says, and those who could become root; nobody else", () => {
  const users = [
    user("root", "$6$r"),
    user("alice", "$1$a"),
    user("bob", "$6$b"),
    user("carol", "$y$c", { gid: 50 }),
  ];
  const one = identity(users, {
    administrators: ["alice"],
    groups: [{ name: "ops", gid: 50, members: [] }],
    sudoRules: ["%ops ALL=(ALL) NOPASSWD: ALL"],
  });
  expect(who({ ...one, sshServer: ssh })).toEqual(["root $6$r", "alice $1$a", "carol $y$c"]);
  expect(who({ ...one, sshServer: { ...ssh, rootLogin: "keys" } })[0]).toBe("root *");
  expect(who({ ...one, sshServer: { ...ssh, rootLogin: "no" } })).toEqual(["alice $1$a", "carol $y$c"]);
  expect(who({ ...one, sshServer: { ...ssh, passwordLogin: false } })).toEqual([
    "root *",
    "alice *",
    "carol *",
  ]);
  expect(who({ ...one, sshServer: { ...ssh, refusedUsers: ["alice", "root"] } })).toEqual(["carol $y$c"]);
  expect(who(one)[0]).toBe("root *"); // sshd_config unknown: what OpenSSH does by itself
});

test("a password that is locked, empty or missing opens nothing", () => {
  const users = [
    user("root", "!$6$r"),
    user("a", ""),
    user("b", "*"),
    user("c", "!!"),
    { ...user("d", ""), shadow: undefined } as unknown as User,
  ];
  const one = identity(users, { administrators: ["a", "b", "c", "d"], sshServer: ssh });
  expect(who(one)).toEqual(["root *", "a *", "b *", "c *", "d *"]);
});

test("closed accounts stay closed, by whatever clock there is", () => {
  const users = [
    user("shell", "$6$x", { shell: "/usr/sbin/nologin" }),
    user("expired", "$6$x", { expires: String(today - 1) }),
    user("closed", "$6$x", { expires: "1" }),
    user("open", "$6$x", { expires: String(today + 1) }),
  ];
  const one = identity(users, { administrators: users.map(({ name }) => name), sshServer: ssh });
  expect(who(one)).toEqual(["open $6$x"]);
  expect(rescueAccounts(one, 0).map(({ name }) => name)).toEqual(["expired", "open"]); // a clock that was never set
});

test("everybody is number 0 with a home of their own, and a root without a way in has no password", () => {
  const { passwd, shadow } = accountFiles([{ name: "alice", hash: "$1$a", home: "/home/alice" }], "/homes");
  expect(passwd).toBe("root:x:0:0:root:/homes/root:/bin/sh\nalice:x:0:0:alice:/homes/alice:/bin/sh\n");
  expect(shadow).toBe("root:*:::::::\nalice:$1$a:::::::\n");
});
