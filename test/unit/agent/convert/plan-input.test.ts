import { expect, test } from "vitest";
import { planInputFrom, type PlanInputOptions } from "../../../../agent/convert/plan-input.ts";
import { parseCommandLine } from "../../../../agent/ramdisk/command-line.ts";
import type { Safeguard } from "../../../../agent/system/safeguards.ts";
import { MiB } from "../../../../format/sizes.ts";
import type { Stash } from "../../../../format/stash.ts";
import { exampleManifest } from "../example.ts";

const sha256 = "ab".repeat(32);
const archive = [{ startBytes: 900 * MiB, sizeBytes: MiB }];
const stash = {
  disk: { name: "vda", sizeBytes: 1, tableId: "12345678" },
  files: [{ name: "f", sizeBytes: 5, sha256, ranges: [{ startBytes: 800 * MiB, sizeBytes: 512 }] }],
  space: { loader: { startBytes: 700 * MiB, sizeBytes: MiB }, oldSystem: archive },
  oldSystem: {},
} as unknown as Stash;
const place = { disk: "/dev/sdb", range: { startBytes: 600 * MiB, sizeBytes: 512 }, sha256 };
const first = parseCommandLine("");
const resumed = parseCommandLine(`dualroot.resume=1 dualroot.old_system=77:${sha256}`);

function inputFor(change: Partial<PlanInputOptions>) {
  return planInputFrom({
    manifest: exampleManifest(),
    words: first,
    taken: { stash, place },
    isDiskChanged: false,
    without: new Set(),
    ...change,
  });
}
const without = (...names: Safeguard[]) => ({ without: new Set(names) });

test("a stash on the disk is armed once, kept out of the way, and names its disk", () => {
  expect(inputFor({})).toMatchObject({ power: "arm", oldSystem: "capture", stash: { foundOn: "/dev/sdb" } });
  expect(inputFor({}).reserved).toHaveLength(4);
  expect(inputFor({ words: resumed, isDiskChanged: true })).toMatchObject({
    power: "armed",
    oldSystem: "captured",
  });
});

test("a resumed run never captures: what it would find is not the old system any more", () => {
  const words = parseCommandLine("dualroot.resume=1");
  expect(inputFor({ words, isDiskChanged: true }).oldSystem).toBe("none");
});

test("a stash in memory is placed; after the first write the disk is known without its table", () => {
  expect(inputFor({ taken: { stash } })).toMatchObject({ power: "place", stashFiles: stash.files });
  const again = inputFor({ taken: { stash }, isDiskChanged: true });
  expect(again).toMatchObject({ power: "place", oldSystem: "none" });
  expect(again.stash.disk).toEqual({ name: "vda", sizeBytes: 1 });
});

test("each safeguard that is left out is that one", () => {
  expect(inputFor(without("arm"))).toMatchObject({ power: "none" });
  expect(inputFor(without("arm")).reserved).toHaveLength(4);
  expect(inputFor(without("reserve"))).toMatchObject({ power: "arm", reserved: [] });
  expect(inputFor(without("flush", "read-back", "verify-stash"))).toEqual(inputFor({}));
});
