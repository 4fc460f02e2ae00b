import { expect, test } from "vitest";
import type { InstallCheckContext } from "../../../../agent/install/checks/install-check.ts";
import { installChecks, runInstallChecks } from "../../../../agent/install/checks/run-install-checks.ts";
import { recordOf } from "../../../../agent/slot/slot-record.ts";
import { describeKeptSystem } from "../../../../agent/slot/system-file.ts";
import { MiB } from "../../../../format/sizes.ts";
import { exampleManifest } from "../example.ts";
import { dualCheckContext } from "./example-dual.ts";

const verdicts = (context: InstallCheckContext): string[] =>
  runInstallChecks(context)
    .filter(({ verdict }) => verdict !== "pass")
    .map(({ verdict, code }) => `${verdict} ${code}`);

test("a healthy dual system passes every check, one row each", () => {
  const rows = runInstallChecks(dualCheckContext());
  expect(rows.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  expect(rows.map(({ code }) => code)).toEqual(installChecks.map(({ name }) => name));
});

test.each<[string, (context: InstallCheckContext) => void, string[]]>([
  [
    "an old gateway",
    (context) => {
      delete context.install.system;
      delete context.install.running;
      delete context.other;
      context.install.slots = [];
    },
    ["fail not-dual-system"],
  ],
  [
    "a dual system that no longer knows what it is",
    ({ install }) => {
      delete install.system;
    },
    ["fail slot-unknown"],
  ],
  [
    "a slot that the menu did not start",
    ({ install }) => {
      install.running = "B";
      install.grubenv.variables["B_OK"] = "1";
    },
    ["fail slot-unknown"],
  ],
  [
    "another product",
    ({ install }) => {
      install.system!.compatible = "other";
    },
    ["fail compatible-mismatch"],
  ],
  [
    "a person's word for another product",
    ({ options }) => {
      options.compatible = "other";
    },
    ["fail compatible-mismatch"],
  ],
  [
    "a release below the floor",
    ({ install }) => {
      install.counterFloor = 8;
    },
    ["fail counter-too-low"],
  ],
  [
    "a slot that never proved itself",
    ({ install }) => {
      install.proven = false;
    },
    ["fail slot-unhealthy"],
  ],
  [
    "a slot marked bad",
    ({ install }) => {
      install.grubenv.variables["A_OK"] = "0";
    },
    ["fail slot-unhealthy"],
  ],
  [
    "a slot that is not well today",
    ({ install }) => {
      install.health = { state: "bad", message: "gateway 192.0.2.1 does not answer" };
    },
    ["fail slot-unhealthy"],
  ],
  [
    "the same, accepted",
    ({ install, options }) => {
      install.health = { state: "waiting", message: "gateway 192.0.2.1 does not answer" };
      options.acceptUnhealthy = true;
    },
    ["warn slot-unhealthy"],
  ],
  [
    "a gate that has said nothing yet",
    ({ install }) => {
      delete install.health;
    },
    [],
  ],
  [
    "one slot only",
    (context) => {
      delete context.other;
      context.install.slots.pop();
    },
    ["fail slot-missing", "fail layout-differs"],
  ],
  [
    "a volume that is not active",
    ({ other }) => {
      delete other!.sizeBytes;
    },
    ["fail slot-missing"],
  ],
  [
    "the old system in the other slot",
    ({ install }) => {
      install.records.B = recordOf(describeKeptSystem(exampleManifest(), "CentOS 7", "VA"), "conversion");
    },
    ["warn old-system-goes"],
  ],
  [
    "a slot that somebody looks into",
    ({ other }) => {
      other!.mountedAt = ["/mnt"];
    },
    ["fail slot-in-use"],
  ],
  [
    "a slot that the kernel has lent",
    ({ other }) => {
      other!.isBusy = true;
    },
    ["fail slot-in-use"],
  ],
  [
    "a slot that a person looks into, and RAUC would mark bad",
    (context) => {
      context.other!.mountedAt = ["/mnt"];
      context.purpose = "adopt";
    },
    ["fail slot-in-use"],
  ],
  [
    "the same, held by a program",
    (context) => {
      context.other!.isBusy = true;
      context.purpose = "adopt";
    },
    ["fail slot-in-use"],
  ],
  [
    "a small slot",
    ({ other }) => {
      other!.sizeBytes = 900 * MiB;
    },
    ["fail slot-too-small"],
  ],
  [
    "a release for another disk",
    ({ manifest }) => {
      manifest.layout.volumeGroup = "VB";
    },
    ["fail layout-differs"],
  ],
  [
    "no boot partition",
    ({ install }) => {
      install.boot.isMounted = false;
    },
    ["fail boot-partition-unusable"],
  ],
  [
    "a boot partition that takes no writes",
    ({ install }) => {
      install.boot.isReadOnly = true;
    },
    ["fail boot-partition-unusable"],
  ],
  [
    "a damaged environment block",
    ({ install }) => {
      install.grubenv = { state: "damaged", variables: {} };
    },
    ["warn grubenv-damaged"],
  ],
  [
    "RAUC at work",
    ({ install }) => {
      install.raucOperation = "installing";
    },
    ["fail rauc-busy"],
  ],
  [
    "RAUC at work, and this is its work",
    (context) => {
      context.install.raucOperation = "installing";
      context.purpose = "adopt";
    },
    [],
  ],
  [
    "no memory",
    ({ facts }) => {
      facts.memory.availableBytes = 40 * MiB;
    },
    ["fail memory-too-small"],
  ],
  [
    "a full boot partition",
    ({ install }) => {
      install.boot.freeBytes = MiB;
    },
    ["warn rescue-not-refreshed"],
  ],
  [
    "a card without driver",
    ({ facts }) => {
      facts.interfaces = [{ name: "eth0", driver: "rare", up: true, addresses: [] }];
    },
    ["fail driver-missing-in-target"],
  ],
  [
    "an address that would be lost",
    ({ facts }) => {
      facts.interfaces = [{ name: "eth0", driver: "e1000", up: true, addresses: ["192.0.2.7/24"] }];
    },
    ["fail address-not-carried"],
  ],
])("%s", (_, change, expected) => {
  expect(verdicts(dualCheckContext(change))).toEqual(expected);
});

test("the same rescue system needs no room, another one its size", () => {
  const detail = (context: InstallCheckContext): string =>
    runInstallChecks(context).find(({ title }) => title === "Rescue system")!.detail;
  const same = dualCheckContext(({ manifest, install }) => {
    install.boot.freeBytes = 0;
    install.boot.rescueBytes = Object.fromEntries(manifest.files.map(({ name, size }) => [name, size]));
  });
  expect(detail(same)).toBe("as the package's");
  expect(detail(dualCheckContext())).toBe("the package's replaces the one that is there");
});
