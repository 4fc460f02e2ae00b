import { describe, expect, it } from "vitest";
import { chooseNetwork } from "../../../../builder/plan/choose-network.ts";
import { sourceDateEpoch } from "../../../../builder/plan/source-date-epoch.ts";
import { compareVersions } from "../../../../builder/rootfs/compare-versions.ts";
import type { NetworkFacts } from "../../../../builder/rootfs/network-family.ts";

const none: NetworkFacts = {
  networkmanager: "absent",
  networkd: "absent",
  ifupdown: "absent",
  ifcfg: "absent",
};

describe("the target's network", () => {
  it("is whoever is enabled, then whoever is installed", () => {
    expect(chooseNetwork("auto", { ...none, networkd: "installed", ifupdown: "enabled" })).toEqual({
      family: "ifupdown",
    });
    expect(chooseNetwork("auto", { ...none, networkd: "installed" })).toEqual({ family: "networkd" });
    expect(chooseNetwork("auto", { ...none, networkmanager: "enabled", ifcfg: "enabled" })).toEqual({
      family: "ifcfg",
    });
  });
  it("is refused when there is none, or not the one the release wants", () => {
    expect(chooseNetwork("auto", none)).toMatchObject({ problem: { code: "network-family-unknown" } });
    expect(chooseNetwork("ifcfg", { ...none, networkd: "enabled" })).toMatchObject({
      problem: { code: "network-family-absent", hint: "It has: networkd." },
    });
  });
});

describe("the time that packages are bound to", () => {
  it("is SOURCE_DATE_EPOCH, else the newest of the files", () => {
    expect(sourceDateEpoch("1700000000", [1, 1_800_000_000])).toBe(1_700_000_000);
    expect(sourceDateEpoch(undefined, [5, 9, 7])).toBe(9);
    expect(sourceDateEpoch("", [])).toBe(0);
  });
  it.each(["yesterday", "-1", "1e9", "1.5"])("is not %s", (text) => {
    expect(() => sourceDateEpoch(text, [])).toThrow("not a number of seconds");
  });
});

describe("kernel versions", () => {
  it("are ordered as people count", () => {
    const ordered = [
      "3.10.0-1160.el7.x86_64",
      "3.10.0-1160.102.1.el7.x86_64",
      "6.1.0-9-amd64",
      "6.1.0-10-amd64",
      "6.12.0-rc1",
      "6.12.0",
    ];
    expect(ordered.toReversed().sort(compareVersions)).toEqual(ordered);
  });
});
