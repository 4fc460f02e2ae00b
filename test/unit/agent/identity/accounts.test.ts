import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseGroup, parsePasswd, parseShadow } from "../../../../agent/identity/accounts/account-tables.ts";
import { mergeAccounts } from "../../../../agent/identity/accounts/merge-accounts.ts";
import { selectAccounts } from "../../../../agent/identity/accounts/select-accounts.ts";
import type { Group, Identity, User } from "../../../../format/identity.ts";

const target = {
  passwd:
    "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www:/var/www:/usr/sbin/nologin\nntpd:x:995:995::/:/usr/sbin/nologin\n",
  shadow: "root:!:19000:0:99999:7:::\nwww-data:*:19000:0:99999:7:::\nntpd:!:19000::::::\n",
  group: "root:x:0:\nsudo:x:27:\nwww-data:x:33:\ndialout:x:20:\nntpd:x:995:\n",
  gshadow: "root:*::\nsudo:*::\nwww-data:*::\ndialout:*::\nntpd:!::\n",
};
const everything = (): boolean => true;

function person(name: string, uid: number, more: Partial<User> = {}): User {
  const shadow = [`$6$${name}`, "19000", "0", "99999", "7", "", "", ""];
  return { name, uid, gid: uid, comment: "", home: `/home/${name}`, shell: "/bin/bash", shadow, ...more };
}

function merge(
  users: User[],
  groups: Group[],
  options: {
    administrators?: string[];
    passwd?: string;
    group?: string;
    hasProgram?: (path: string) => boolean;
  } = {},
) {
  return mergeAccounts({
    target: { ...target, passwd: options.passwd ?? target.passwd, group: options.group ?? target.group },
    identity: { users, groups, administrators: options.administrators ?? [] },
    hasProgram: options.hasProgram ?? everything,
  });
}

const line = (text: string, name: string): string | undefined =>
  text.split("\n").find((one) => one.startsWith(`${name}:`));

describe("merging accounts", () => {
  test("a person, their group, hash and root's hash arrive; other lines stay to the byte", () => {
    const root = person("root", 0, { shadow: ["$6$old", "18000", "0", "99999", "7", "", "", ""] });
    const { files, notes } = merge([root, person("ann", 1000)], [{ name: "ann", gid: 1000, members: [] }]);
    expect(files.passwd).toBe(`${target.passwd}ann:x:1000:1000::/home/ann:/bin/bash\n`);
    expect(files.shadow).toBe(
      target.shadow.replace("root:!:19000", "root:$6$old:18000") + "ann:$6$ann:19000:0:99999:7:::\n",
    );
    expect(files.group).toBe(`${target.group}ann:x:1000:\n`);
    expect(files.gshadow).toBe(`${target.gshadow}ann:!::\n`);
    expect(notes).toEqual([]);
  });

  test("a uid the image gave to somebody else: the person moves to the next free one, and a note says so", () => {
    const passwd = `${target.passwd}debian:x:1000:1000::/home/debian:/bin/bash\n`;
    const { files, userIds, notes } = merge([person("ann", 1000), person("bob", 1001)], [], { passwd });
    expect(line(files.passwd, "ann")).toMatch(/^ann:x:1002:/);
    expect(line(files.passwd, "bob")).toMatch(/^bob:x:1001:/);
    expect(userIds.get(1000)).toBe(1002);
    expect(notes).toContain("User ann had uid 1000, which is debian's on the new system; it is 1002 now.");
  });

  test("same name, other number: a system account keeps its own, a person's moves to the old one", () => {
    const passwd = `${target.passwd}ann:x:1005:1005::/home/ann:/bin/bash\n`;
    const merged = merge([person("ntpd", 1500), person("ann", 1000)], [], { passwd });
    expect(merged.userIds.get(1500)).toBe(995);
    expect(line(merged.files.passwd, "ntpd")).toBe("ntpd:x:995:995::/:/usr/sbin/nologin");
    expect(line(merged.files.shadow, "ntpd")).toMatch(/^ntpd:\$6\$ntpd:/);
    expect(line(merged.files.passwd, "ann")).toMatch(/^ann:x:1000:/);
    expect(merged.renumbered).toEqual([{ name: "ann", home: "/home/ann", from: 1005, to: 1000 }]);
  });

  test("groups go by name; a taken gid gives way; administrators join the target's group", () => {
    const groups = [
      { name: "dialout", gid: 18, members: ["ann"] },
      { name: "plant", gid: 33, members: ["ann"] },
      { name: "ann", gid: 1000, members: [] },
    ];
    const { files, groupIds } = merge([person("ann", 1000)], groups, { administrators: ["ann"] });
    expect(line(files.group, "dialout")).toBe("dialout:x:20:ann");
    expect(line(files.group, "plant")).toBe("plant:x:999:ann");
    expect(line(files.group, "sudo")).toBe("sudo:x:27:ann");
    expect(groupIds.get(33)).toBe(999);
    expect(line(files.gshadow ?? "", "sudo")).toBe("sudo:*::ann");
  });

  test("no administrators' group in the target: a note, not a guess", () => {
    const { notes } = merge([person("ann", 1000)], [], { administrators: ["ann"], group: "root:x:0:\n" });
    expect(notes.join()).toContain("none of the groups wheel, sudo, admin");
  });

  test("a missing shell falls back and is noted; nologin stays nologin", () => {
    const has = (path: string): boolean => ["/bin/bash", "/usr/sbin/nologin"].includes(path);
    const users = [
      person("ann", 1000, { shell: "/bin/zsh" }),
      person("svc", 1001, { shell: "/sbin/nologin" }),
    ];
    const { files, notes } = merge(users, [], { hasProgram: has });
    expect(line(files.passwd, "ann")).toMatch(/:\/bin\/bash$/);
    expect(line(files.passwd, "svc")).toMatch(/:\/usr\/sbin\/nologin$/);
    expect(notes.filter((note) => note.includes("shell"))).toHaveLength(2);
  });

  test("NIS lines stay last; a missing final newline is no trap", () => {
    const { files } = merge([person("ann", 1000)], [], {
      passwd: "root:x:0:0:root:/root:/bin/bash\n+::::::",
    });
    expect(files.passwd.split("\n")).toEqual([
      "root:x:0:0:root:/root:/bin/bash",
      "ann:x:1000:1000::/home/ann:/bin/bash",
      "+::::::",
      "",
    ]);
  });

  test("a home that climbs out is replaced", () => {
    const { files } = merge([person("ann", 1000, { home: "/home/../etc" })], []);
    expect(line(files.passwd, "ann")).toContain(":/home/ann:");
  });

  test("a colon in a field is refused, never written", () => {
    expect(() => merge([person("ann", 1000, { comment: "x:0:0" })], [])).toThrow(/colon or a line break/);
  });

  test("is the same for any order of users, gives nobody's number twice, and is idempotent", () => {
    const people = fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("ann", "bob", "cyd", "www-data", "dan"),
        uid: fc.integer({ min: 995, max: 1003 }),
      }),
      {
        selector: (one) => one.name,
      },
    );
    fc.assert(
      fc.property(people, (list) => {
        const users = list.map((one) => person(one.name, one.uid));
        const once = merge(users, []);
        expect(merge(users.toReversed(), []).files.passwd.split("\n").sort()).toEqual(
          once.files.passwd.split("\n").sort(),
        );
        const shared = list.length - new Set(list.map((one) => one.uid)).size;
        const ids = parsePasswd(once.files.passwd, []).map((entry) => entry.uid);
        expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(shared);
        const again = mergeAccounts({
          target: once.files,
          identity: { users, groups: [], administrators: [] },
          hasProgram: everything,
        });
        expect(again.files).toEqual(once.files);
      }),
    );
  });
});

describe("choosing accounts", () => {
  const texts = {
    passwd: "",
    shadow: "",
    group: "",
    loginDefs: "UID_MIN 1000\n",
    withKeys: new Set<string>(),
  };

  test("any text at all gives a valid answer, quickly", () => {
    const dirty = fc.string({
      unit: fc.constantFrom(":", "\n", "\r", "a", "0", "1", "\0", "é", "+", "#", ",", "$"),
      maxLength: 300,
    });
    fc.assert(
      fc.property(dirty, dirty, dirty, (passwd, shadow, group) => {
        const chosen = selectAccounts({ ...texts, passwd, shadow, group });
        const identity: Pick<Identity, "users" | "groups" | "administrators"> = chosen;
        const { files } = mergeAccounts({ target, identity, hasProgram: everything });
        expect(files.passwd.startsWith("root:x:0:0:")).toBe(true);
      }),
    );
  });

  test("no message ever shows a hash", () => {
    const problems: { message: string }[] = [];
    parseShadow("ann:$6$secret\n$6$secret:x\n", problems as never);
    parseGroup("$6$secret:x\n", problems as never);
    expect(problems.length).toBeGreaterThan(1);
    expect(JSON.stringify(problems.slice(0, 2))).not.toContain("secret");
  });
});
