import fc from "fast-check";
import { expect, test } from "vitest";
import { planConversion } from "../../../../agent/plan/conversion-plan.ts";
import { encodeSgdiskBackup, sgdiskBackupBytes } from "../../../../format/partition-table.ts";
import type { ConversionPlan, ExtentRange } from "../../../../agent/plan/step.ts";
import { UserError } from "../../../../format/errors.ts";
import { layoutSchema } from "../../../../format/layout.ts";
import { MiB } from "../../../../format/sizes.ts";
import { exampleFacts, exampleManifest, examplePlanInput } from "../example.ts";

const size = fc.integer({ min: MiB, max: 3000 * MiB });
const volume = fc.record({
  name: fc.constantFrom("root_a", "root_b", "data", "image", "log"),
  sizeBytes: size,
  filesystem: fc.constantFrom("ext4" as const, "xfs" as const),
  mountPoint: fc.constantFrom("/data", "/image", "/var/log", "/boot/dualroot", "/data/deep"),
});
const slotA = { name: "slot_a", filesystem: "ext4" as const, mountPoint: "/", slot: "A" as const };
const layouts = fc
  .record({
    biosBootBytes: fc.integer({ min: MiB, max: 9 * MiB }),
    bootBytes: size,
    extentBytes: fc.constantFrom(MiB, 4 * MiB, 32 * MiB, 3 * MiB + 1),
    root: size,
    others: fc.array(volume, { maxLength: 3 }),
  })
  .map(({ root, others, ...rest }) =>
    layoutSchema.parse({ ...rest, volumeGroup: "VA", volumes: [{ ...slotA, sizeBytes: root }, ...others] }),
  );
const disks = fc.integer({ min: 1, max: 30_000_000 });
const reserved = fc.array(
  fc.record({
    startBytes: fc.integer({ min: 0, max: 8000 * MiB }),
    sizeBytes: fc.integer({ min: 1, max: 500 * MiB }),
  }),
  { maxLength: 2 },
);

/** What is wrong with a plan; empty for a sound one. */
function faults(plan: ConversionPlan, extentsWanted: number[]): string[] {
  const found: string[] = [];
  const diskBytes = plan.table.diskSectors * 512;
  for (const { firstSector, lastSector, number } of plan.table.partitions) {
    if (firstSector % 2048 !== 0 || (lastSector + 1) % 2048 !== 0)
      found.push(`partition ${number} is not aligned`);
  }
  // Refuses partitions that overlap or leave the disk.
  if (encodeSgdiskBackup(plan.table).length !== sgdiskBackupBytes) found.push("the table cannot be written");
  const third = plan.table.partitions[2]!;
  const extents = Math.floor(((third.lastSector - third.firstSector + 1) * 512 - MiB) / plan.extentBytes);
  const ranges: ExtentRange[] = [...plan.reserved, ...plan.volumes.flatMap((each) => each.extents)];
  const inOrder = ranges.sort((a, b) => a.first - b.first);
  inOrder.forEach(({ first, count }, index) => {
    if (first + count > (inOrder[index + 1]?.first ?? extents)) found.push(`extent ${first} overlaps`);
  });
  const sizes = plan.volumes.map((each) => each.extents.reduce((sum, { count }) => sum + count, 0));
  if (JSON.stringify(sizes) !== JSON.stringify(extentsWanted))
    found.push(`sizes are ${JSON.stringify(sizes)}`);
  for (const step of plan.steps) {
    if (step.kind !== "wipe-signatures") continue;
    for (const { startBytes, sizeBytes } of step.ranges) {
      if (startBytes < 0 || sizeBytes <= 0 || startBytes + sizeBytes > diskBytes)
        found.push("wipes outside the disk");
    }
  }
  return found;
}

test("any layout on any disk around anything reserved gives a sound plan or a refusal", () => {
  const codes = new Map<string, number>();
  let planned = 0;
  fc.assert(
    fc.property(layouts, disks, reserved, (layout, diskSectors, kept) => {
      const facts = exampleFacts();
      facts.disks[0]!.sizeBytes = diskSectors * 512;
      const manifest = exampleManifest({ layout });
      manifest.requirements.diskBytes = 1;
      try {
        const plan = planConversion({ ...examplePlanInput(facts, manifest), reserved: kept });
        const wanted = layout.volumes.map((each) => Math.ceil(each.sizeBytes / layout.extentBytes));
        const found = faults(plan, wanted);
        if (found.length > 0) throw new Error(found.join(", "));
        planned++;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        for (const { code } of error.problems) codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }),
    { numRuns: 3000, seed: 12 },
  );
  expect(planned).toBeGreaterThan(100);
  expect([...codes.keys()].sort()).toEqual([
    "disk-too-small",
    "layout-invalid",
    "stash-in-the-way",
    "volumes-do-not-fit",
  ]);
});
