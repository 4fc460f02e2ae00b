import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { renderExpected } from "../../../../agent/slot/render-expected.ts";
import { identitySchema } from "../../../../format/identity.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-expected-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the health gate is told fixed addresses and their default gateways, and what answered or was leased just now", () => {
  const base = { ipv6: "none" as const, dnsServers: [], searchDomains: [] };
  const identity = identitySchema.parse({
    format: 1,
    hosts: [],
    interfaces: [
      {
        ...base,
        name: "eth0",
        ipv4: "static",
        addresses: ["192.0.2.10/24"],
        routes: [
          { destination: "0.0.0.0/0", gateway: "192.0.2.1" },
          { destination: "10.0.0.0/8", gateway: "192.0.2.2" },
        ],
      },
      {
        ...base,
        name: "eth1",
        ipv4: "dhcp",
        addresses: ["198.51.100.7/24"],
        routes: [{ destination: "0.0.0.0/0", gateway: "198.51.100.1" }],
      },
    ],
    dns: { servers: ["192.0.2.53", "192.0.2.54"], searchDomains: [] },
    leasedGateways: ["198.51.100.1"],
    answeringDnsServers: ["192.0.2.54", "fe80::53%eth0"],
    users: [],
    groups: [],
    administrators: [],
    networkSource: "ifcfg",
  });
  const file = join(folder, "expected.sh");
  writeFileSync(file, renderExpected(identity));
  const script =
    '. "$0"; echo "$DUALROOT_ADDRESSES|$DUALROOT_GATEWAYS|$DUALROOT_LEASED_GATEWAYS|$DUALROOT_DNS_SERVERS"';
  const shown = execFileSync("sh", ["-c", script, file], { encoding: "utf8" });
  expect(shown).toBe("192.0.2.10/24|192.0.2.1|198.51.100.1|192.0.2.54 fe80::53%eth0\n");
});
