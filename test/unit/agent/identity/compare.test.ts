import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { captureIdentity } from "../../../../agent/identity/capture.ts";
import { compareIdentity } from "../../../../agent/identity/compare.ts";
import type { Identity } from "../../../../format/identity.ts";

const golden = join(import.meta.dirname, "../../../golden/identity");

async function sample(): Promise<Identity> {
  return (await captureIdentity(join(golden, "centos7-static/root"))).identity;
}

describe("comparing identities", () => {
  test("the same system is equal in every row, and every part has a row", async () => {
    const rows = compareIdentity(await sample(), await sample());
    expect(rows.every((row) => row.equal)).toBe(true);
    expect(rows.map((row) => row.item)).toEqual(
      expect.arrayContaining([
        "hostname",
        "machine-id",
        "time zone",
        "eth0 IPv4",
        "eth0 IPv6",
        "eth0 routes",
        "eth0 name servers",
        "hosts",
        "password of root",
        "uid of operator1",
        "administrators",
        "sudo rules",
        "ssh host key ssh_host_ed25519_key",
        "authorized keys of operator1",
      ]),
    );
  });

  test("no row shows a password hash or a part of one", async () => {
    const identity = await sample();
    const shown = JSON.stringify(compareIdentity(identity, identity));
    for (const user of identity.users) {
      const hash = user.shadow?.[0] ?? "";
      expect(hash.startsWith("$6$")).toBe(true);
      for (const part of hash.split("$").filter((text) => text.length > 3)) expect(shown).not.toContain(part);
    }
  });

  const changes: [string, (identity: Identity) => void][] = [
    ["hostname", (one) => void (one.hostname = "other")],
    [
      "eth0 IPv4",
      (one) =>
        void (one.interfaces[0]?.addresses.shift(), one.interfaces[0]?.addresses.unshift("192.0.2.11/24")),
    ],
    ["eth0 routes", (one) => void one.interfaces[0]?.routes.shift()],
    ["password of root", (one) => void one.users[0]?.shadow?.splice(0, 1, "$6$saltsalt$other")],
    [
      "uid of operator1",
      (one) => void one.users.splice(1, 1, { ...(one.users[1] as Identity["users"][number]), uid: 1001 }),
    ],
    ["authorized keys of operator1", (one) => void (one.authorizedKeys = [])],
    ["ssh host key ssh_host_ed25519_key", (one) => void (one.sshHostKeys = [])],
    ["sudo rules", (one) => void (one.sudoRules = [])],
    ["administrators", (one) => void (one.administrators = [])],
    ["hosts", (one) => void one.hosts.pop()],
  ];
  test.each(changes)("a change of %s shows in that row", async (item, change) => {
    const after = structuredClone(await sample());
    change(after);
    const unequal = compareIdentity(await sample(), after).filter((row) => !row.equal);
    expect(unequal.map((row) => row.item)).toEqual([item]);
  });

  test("a card is found by its MAC address under another name; sudo and wheel are the same people", async () => {
    const after = structuredClone(await sample());
    after.interfaces = after.interfaces.map((one) => ({ ...one, name: "enp0s3" }));
    after.sudoRules = ["%sudo ALL=(ALL) NOPASSWD: ALL"];
    expect(compareIdentity(await sample(), after).filter((row) => !row.equal)).toEqual([]);
  });

  test("what the new system lacks altogether is unequal", async () => {
    const empty: Identity = {
      format: 1,
      hosts: [],
      interfaces: [],
      dns: { servers: [], searchDomains: [] },
      users: [],
      groups: [],
      administrators: [],
      networkSource: "kernel",
    };
    const rows = compareIdentity(await sample(), empty);
    expect(rows.filter((row) => row.old !== "-" && row.equal)).toEqual([]);
  });
});
