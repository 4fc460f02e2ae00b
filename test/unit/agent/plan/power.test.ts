import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describePlan } from "../../../../agent/plan/describe-plan.ts";
import { extentsToBytes, mapExtents } from "../../../../agent/plan/extents.ts";
import { findDisk } from "../../../../agent/plan/find-disk.ts";
import { planConversion } from "../../../../agent/plan/conversion-plan.ts";
import { placeStash } from "../../../../agent/plan/place-stash.ts";
import type { PowerMode } from "../../../../agent/plan/plan-power.ts";
import type { ByteRange, ConversionPlan, Step, StepKind, StepOf } from "../../../../agent/plan/step.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";
import { exampleFacts, exampleManifest, examplePlanInput, exampleSeed } from "../example.ts";

const stashFiles = [
  { name: "vmlinuz-convert", sizeBytes: 8 * MiB + 1 },
  { name: "rootfs.tar.xz", sizeBytes: 180 * MiB },
  { name: "identity.json", sizeBytes: 0 },
];
const reserved = [{ startBytes: 2 * GiB + 512, sizeBytes: 300 * MiB }];

function planFor(power: PowerMode, kept: readonly ByteRange[] = []): ConversionPlan {
  return planConversion({ ...examplePlanInput(exampleFacts()), power, stashFiles, reserved: kept });
}

function stepOf<K extends StepKind>(plan: ConversionPlan, kind: K): StepOf<K> {
  const step = plan.steps.find((candidate): candidate is StepOf<K> & Step => candidate.kind === kind);
  if (!step) throw new Error(`no step ${kind}`);
  return step;
}

const kinds = (plan: ConversionPlan): string[] => plan.steps.map(({ kind }) => kind);
const touches = (ranges: readonly ByteRange[], { startBytes, sizeBytes }: ByteRange): boolean =>
  ranges.some(
    (range) => range.startBytes < startBytes + sizeBytes && startBytes < range.startBytes + range.sizeBytes,
  );
const sector0 = { startBytes: 0, sizeBytes: 512 };

describe("the point of no return", () => {
  test("comes right before the first step that clears anything", () => {
    expect(kinds(planFor("arm", reserved)).slice(0, 3)).toEqual([
      "release-old-system",
      "arm-resume-loader",
      "wipe-signatures",
    ]);
  });

  test("is behind a resumed run, which is otherwise the same", () => {
    const [armed, resumed] = [planFor("arm", reserved), planFor("armed", reserved)];
    expect(resumed.steps).toEqual(armed.steps.filter(({ kind }) => kind !== "arm-resume-loader"));
  });

  test.each(["arm", "armed", "place"] as const)(
    "with %s, sector 0 is left to the switches alone",
    (power) => {
      const plan = planFor(power, power === "place" ? [] : reserved);
      expect(touches(stepOf(plan, "wipe-signatures").ranges, sector0)).toBe(false);
      expect(stepOf(plan, "write-partition-table").sector0).toBe("keep");
    },
  );

  test("without it, the new table brings its protective MBR", () => {
    const plan = planFor("none");
    expect(touches(stepOf(plan, "wipe-signatures").ranges, sector0)).toBe(true);
    expect(stepOf(plan, "write-partition-table").sector0).toBe("protective-mbr");
    expect(kinds(plan)).not.toContain("arm-resume-loader");
  });
});

test("the extents that the stash touches become a volume, and nothing in them is cleared", () => {
  const plan = planFor("arm", reserved);
  expect(stepOf(plan, "create-volumes").kept).toEqual(plan.reserved);
  expect(plan.reserved).not.toEqual([]);
  expect(touches(stepOf(plan, "wipe-signatures").ranges, reserved[0]!)).toBe(false);
  expect(describePlan(plan).join("\n")).toMatch(/VA-stash +304 MiB +lvm +the package, until/);
});

describe("ram mode", () => {
  test("places the stash on what the volumes leave, then arms", () => {
    const plan = planFor("place");
    expect(kinds(plan).slice(0, 4)).toEqual([
      "release-old-system",
      "place-stash",
      "arm-resume-loader",
      "wipe-signatures",
    ]);
    const place = stepOf(plan, "place-stash");
    const ranges = [place.loader, place.json, ...place.files.map(({ range }) => range)];
    for (const range of ranges) expect(touches(stepOf(plan, "wipe-signatures").ranges, range)).toBe(false);
    const volumes = plan.volumes.flatMap(({ extents }) => extents);
    const taken = plan.reserved;
    for (const { first, count } of volumes)
      expect(taken.some((range) => range.first < first + count && first < range.first + range.count)).toBe(
        false,
      );
    expect(stepOf(plan, "create-volumes").kept).toEqual(taken);
  });

  test("without room the plan is as it would be without a stash", () => {
    const input = examplePlanInput(exampleFacts());
    const huge = [{ name: "rootfs.tar.xz", sizeBytes: 500 * GiB }];
    expect(planConversion({ ...input, power: "place", stashFiles: huge })).toEqual(planConversion(input));
  });

  test("every file is one range of whole sectors, apart from all others, in one gap", () => {
    const gap = fc.record({ first: fc.nat(500), count: fc.integer({ min: 1, max: 400 }) });
    const sizes = fc.array(fc.nat(50 * MiB), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(gap, sizes, (free, bytes) => {
        const map = mapExtents({ startBytes: GiB, sizeBytes: 100 * GiB }, 4 * MiB);
        const files = bytes.map((sizeBytes, index) => ({ name: `f${index}`, sizeBytes }));
        const placed = placeStash(map, [free], files);
        const needed = 1024 * 1024 + 64 * 1024 + bytes.reduce((sum, size) => sum + size, 0);
        if (!placed) {
          expect(needed + 13 * 4096).toBeGreaterThan(free.count * 4 * MiB - 4096);
          return;
        }
        const ranges = [placed.loader, placed.json, ...placed.files.map(({ range }) => range)];
        const room = extentsToBytes(map, placed.extents[0]!);
        let end = room.startBytes;
        for (const { startBytes, sizeBytes } of ranges) {
          expect(startBytes).toBe(end);
          expect(startBytes % 512).toBe(0);
          end += sizeBytes;
        }
        expect(end).toBeLessThanOrEqual(room.startBytes + room.sizeBytes);
        placed.files.forEach(({ range }, index) =>
          expect(range.sizeBytes).toBeGreaterThanOrEqual(files[index]!.sizeBytes),
        );
        expect(placed.extents[0]!.first + placed.extents[0]!.count).toBeLessThanOrEqual(
          free.first + free.count,
        );
      }),
    );
  });
});

describe("the disk whose bytes the stash was read from", () => {
  const [disk] = exampleFacts().disks;
  const wanted = { seed: exampleSeed, disk: { name: "sda", sizeBytes: disk!.sizeBytes, serial: "S1" } };

  test("needs no table of any kind", () => {
    const { tableId: _, tableType: __, ...bare } = disk!;
    expect(findDisk({ ...wanted, foundOn: bare.path }, [{ ...bare, serial: "S1" }])).toMatchObject({
      disk: { path: bare.path },
    });
  });

  test.each([
    ["another size", { sizeBytes: disk!.sizeBytes + 512, serial: "S1" }],
    ["another serial number", { serial: "S2" }],
  ])("is refused with %s", (_, change) => {
    const found = findDisk({ ...wanted, foundOn: disk!.path }, [{ ...disk!, ...change }]);
    expect(found).toMatchObject({ problem: { code: "disk-not-found" } });
  });
});

test("no volume of a release may have the name of the stash", () => {
  const { layout } = exampleManifest();
  const volumes = layout.volumes.map((volume, index) =>
    index === 3 ? { ...volume, name: "stash" } : volume,
  );
  const manifest = exampleManifest({ layout: { ...layout, volumes } });
  expect(() => planConversion(examplePlanInput(exampleFacts(), manifest))).toThrow(/named stash/);
});
