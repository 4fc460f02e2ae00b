import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readNetwork } from "../../../../agent/identity/read-network.ts";
import { renderNetwork } from "../../../../agent/identity/targets/render-network.ts";
import { networkFamilies } from "../../../../format/manifest.ts";
import { network } from "./network-arbitraries.ts";

describe.each(networkFamilies)("%s", (family) => {
  test("every network it writes is read back as the same network", () => {
    fc.assert(
      fc.property(network, (before) => {
        const files = new Map(renderNetwork(family, before).map((file) => [file.path, file.content]));
        if (family === "networkd")
          files.set("/etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "");
        const after = readNetwork(files);
        expect(after.problems).toEqual([]);
        expect(after.source).toBe(family);
        expect(after.interfaces).toEqual(before.interfaces);
        expect(after.dns).toEqual(before.dns);
      }),
      { numRuns: 200 },
    );
  });
});
