import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { selectAccounts } from "../../../../agent/identity/accounts/select-accounts.ts";
import { mergeHosts, parseHosts } from "../../../../agent/identity/host/hosts.ts";
import { readHostname } from "../../../../agent/identity/host/hostname.ts";
import { parseSudoRules } from "../../../../agent/identity/host/sudo-rules.ts";
import { readNetwork } from "../../../../agent/identity/read-network.ts";
import { parseResolvConf } from "../../../../agent/identity/sources/resolv-conf.ts";
import { renderNetwork } from "../../../../agent/identity/targets/render-network.ts";
import { identitySchema } from "../../../../format/identity.ts";
import { networkFamilies } from "../../../../format/manifest.ts";

const golden = join(import.meta.dirname, "../../../golden/identity");

/** Files of every sample system, and of every target format, by the path they have there. */
function samples(): Map<string, string>[] {
  return readdirSync(golden).flatMap((name) => {
    const root = join(golden, name, "root");
    const files = new Map<string, string>();
    for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
      const path = join(root, entry);
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === true)
        files.set(`/${entry}`, readFileSync(path, "utf8"));
    }
    const network = readNetwork(files);
    const rendered = networkFamilies.map(
      (family) => new Map(renderNetwork(family, network).map((file) => [file.path, file.content])),
    );
    return [files, ...rendered];
  });
}

type Cut = { at: number; length: number; insert: string };
const nasty = fc.constantFrom(
  "\n[Match]\n",
  "\0",
  "'",
  '"',
  "\\\n",
  "=",
  ":",
  ";",
  "$(reboot)",
  "../",
  "\r\n",
  "é",
  "/0",
  "0".repeat(300),
  "source /etc/network/interfaces\n",
);
const cuts = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(20),
    insert: fc.oneof(nasty, fc.string()),
  }),
  { minLength: 1, maxLength: 4 },
);

function mutate(text: string, list: readonly Cut[]): string {
  return list.reduce((now, { at, length, insert }) => {
    const start = Math.floor(at * now.length);
    return now.slice(0, start) + insert + now.slice(start + length);
  }, text);
}

/** Whatever was read must fit the schema and be writable in every format as the same network: then nothing was smuggled in. */
function holds(files: Map<string, string>): void {
  const state = readNetwork(files, [
    { name: "eth0", macAddress: "52:54:00:00:00:01", addresses: ["192.0.2.1/24"] },
  ]);
  identitySchema.shape.interfaces.parse(state.interfaces);
  identitySchema.shape.dns.parse(state.dns);
  identitySchema.shape.resolver.parse(state.resolver);
  for (const family of networkFamilies) {
    const written = new Map(renderNetwork(family, state).map((file) => [file.path, file.content]));
    for (const path of written.keys()) expect(path).not.toContain("..");
    if (family === "networkd")
      written.set("/etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "");
    if (state.interfaces.length === 0) continue;
    const again = readNetwork(written);
    // Names by MAC need both ends; an interface without one is found by name.
    expect(again.interfaces).toEqual(state.interfaces);
    expect(again.problems).toEqual([]);
  }
}

/** What this process computes for it, whatever else the machine has to do meanwhile. */
function processorSeconds(work: () => unknown): number {
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6;
}

describe("text from an old machine", () => {
  const all = samples();

  test("changed sample files never throw, and never turn into other settings when written", () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.nat(), cuts, (files, pick, list) => {
        const path = [...files.keys()][pick % files.size] ?? "";
        holds(new Map([...files, [path, mutate(files.get(path) ?? "", list)]]));
      }),
      { numRuns: 500 },
    );
  });

  test("any text under any name never throws", () => {
    const paths = [
      "/etc/sysconfig/network-scripts/ifcfg-eth0",
      "/etc/sysconfig/network-scripts/route-eth0",
      "/etc/network/interfaces",
      "/etc/systemd/network/a.network",
      "/etc/systemd/network/a.link",
      "/etc/NetworkManager/system-connections/a",
      "/etc/resolv.conf",
      "/etc/systemd/resolved.conf",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.string({ unit: "binary", maxLength: 500 }), (path, text) => {
        holds(
          new Map([
            [path, text],
            ["/etc/systemd/system/multi-user.target.wants/systemd-networkd.service", ""],
          ]),
        );
      }),
      { numRuns: 400 },
    );
  });

  test("files of half a megabyte are read in bounded time", () => {
    const size = 512 * 1024;
    const texts = [
      "a".repeat(size),
      "\\".repeat(size),
      "\\\n".repeat(size / 2),
      "iface a inet static\n".repeat(size / 20),
      "[Route]\nGateway=192.0.2.1\n".repeat(size / 27),
      "IPADDR=1.2.3.4 ".repeat(size / 15),
      "x:".repeat(size / 2),
      `${" ".repeat(size)}x`,
      "source *\n".repeat(size / 9),
    ];
    for (const text of texts) {
      for (const path of [
        "/etc/sysconfig/network-scripts/ifcfg-eth0",
        "/etc/network/interfaces",
        "/etc/systemd/network/a.network",
        "/etc/resolv.conf",
      ]) {
        expect(processorSeconds(() => readNetwork(new Map([[path, text]])))).toBeLessThan(5);
      }
      const parseAll = (): void => {
        selectAccounts({ passwd: text, shadow: text, group: text, loginDefs: text, withKeys: new Set() });
        parseHosts(text);
        parseSudoRules(text);
        parseResolvConf(text);
      };
      expect(processorSeconds(parseAll)).toBeLessThan(5);
    }
  });

  test("names, hosts and rules stay on their line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, other) => {
        const hosts = parseHosts(`192.0.2.1 ${text}\n${other}`);
        const merged = mergeHosts("127.0.0.1 localhost\n", hosts, "gw");
        expect(parseHosts(merged).filter((line) => !line.startsWith("127.0.1.1"))).toEqual(hosts);
        expect(readHostname(text, other, []) ?? "").toMatch(/^[A-Za-z0-9_.-]*$/);
        for (const rule of parseSudoRules(text).rules)
          expect(rule).toMatch(/^%?[\w.-]+ ALL=\((ALL|root)\) (NOPASSWD: )?ALL$/);
      }),
      { numRuns: 1000 },
    );
  });
});
