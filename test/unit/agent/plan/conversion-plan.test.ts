import { expect, test } from "vitest";
import { planConversion } from "../../../../agent/plan/conversion-plan.ts";
import { describePlan } from "../../../../agent/plan/describe-plan.ts";
import { extentsToBytes, mapExtents } from "../../../../agent/plan/extents.ts";
import { planPartitions } from "../../../../agent/plan/partitions.ts";
import { UserError } from "../../../../format/errors.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";
import { exampleFacts, exampleManifest, examplePlanInput, exampleSeed, gatewayNames } from "../example.ts";

function refusal(plan: () => unknown): string[] {
  try {
    plan();
  } catch (error) {
    if (!(error instanceof UserError) || error.exit !== "refused") throw error;
    return error.problems.map((problem) => problem.code);
  }
  throw new Error("the plan was not refused");
}

test.each(gatewayNames)("the plan for the %s gateway", async (name) => {
  const plan = planConversion(examplePlanInput(exampleFacts(name)));
  const golden = `../../../golden/plan/${name}`;
  await expect(`${JSON.stringify(plan, undefined, 2)}\n`).toMatchFileSnapshot(`${golden}.json`);
  await expect(`${describePlan(plan).join("\n")}\n`).toMatchFileSnapshot(`${golden}.txt`);
});

test("the same stash and disk give the same plan, another seed other identifiers", () => {
  const input = examplePlanInput(exampleFacts());
  const plan = planConversion(input);
  expect(planConversion(input)).toEqual(plan);
  const other = planConversion({ ...input, stash: { ...input.stash, seed: "f".repeat(32) } });
  expect(other.table.diskGuid).not.toBe(plan.table.diskGuid);
  expect(other.volumes[0]!.extents).toEqual(plan.volumes[0]!.extents);
  const ids = [plan.table.diskGuid, plan.bootFilesystemUuid];
  for (const partition of plan.table.partitions) ids.push(partition.guid);
  for (const volume of plan.volumes) ids.push(volume.filesystemUuid);
  expect(new Set(ids).size).toBe(ids.length);
});

test("started again after its own table was written, it finds the disk and plans the same", () => {
  const input = examplePlanInput(exampleFacts());
  const plan = planConversion(input);
  const facts = exampleFacts();
  facts.disks[0]!.tableId = plan.table.diskGuid.toUpperCase();
  facts.disks[0]!.partitions = [];
  expect(planConversion({ ...input, facts }).table).toEqual(plan.table);
});

test("the boot sector comes last, and nothing is written before the old system is released", () => {
  const kinds = planConversion(examplePlanInput(exampleFacts())).steps.map((step) => step.kind);
  expect(kinds[0]).toBe("release-old-system");
  expect(kinds.at(-1)).toBe("write-boot-sector");
  expect(kinds.indexOf("verify-target")).toBeGreaterThan(kinds.indexOf("install-boot-files"));
});

test("the initramfs is rebuilt only where the package asks for it", () => {
  const manifest = exampleManifest();
  manifest.target.rebuildInitramfs = "none";
  const kinds = planConversion(examplePlanInput(exampleFacts(), manifest)).steps.map((step) => step.kind);
  expect(kinds).not.toContain("rebuild-initramfs");
});

test("without a data volume the report goes into the root volume", () => {
  const manifest = exampleManifest();
  manifest.layout.volumes = manifest.layout.volumes.filter((volume) => volume.name !== "data");
  const { steps } = planConversion(examplePlanInput(exampleFacts(), manifest));
  const saved = steps.flatMap((step) => (step.kind === "save-report" ? [step.folder] : []));
  expect(saved).toEqual(["/run/dualroot/target/var/lib/dualroot"]);
});

test("the package's own table, made for another disk, gives the same plan", () => {
  const input = examplePlanInput(exampleFacts());
  const template = planPartitions(input.manifest.layout, (8 * GiB) / 512, "the package's seed");
  expect(planConversion({ ...input, template })).toEqual(planConversion(input));
});

test("a package whose table and manifest disagree is refused", () => {
  const input = examplePlanInput(exampleFacts());
  const other = exampleManifest();
  other.layout.bootBytes = 512 * MiB;
  const template = planPartitions(other.layout, (10 * GiB) / 512, exampleSeed);
  expect(refusal(() => planConversion({ ...input, template }))).toContain("partition-table-mismatch");
});

test("what is reserved is neither wiped nor given to a volume", () => {
  const reserved = [
    { startBytes: 2 * GiB + 512, sizeBytes: 300 * MiB },
    { startBytes: 5 * GiB, sizeBytes: 4096 },
    { startBytes: 10 * GiB - 40 * MiB, sizeBytes: 30 * MiB },
  ];
  const plan = planConversion({ ...examplePlanInput(exampleFacts()), reserved });
  const third = plan.table.partitions[2]!;
  const partition = {
    startBytes: third.firstSector * 512,
    sizeBytes: (third.lastSector - third.firstSector + 1) * 512,
  };
  const map = mapExtents(partition, plan.extentBytes);
  const written = plan.volumes.flatMap((volume) => volume.extents).map((range) => extentsToBytes(map, range));
  for (const step of plan.steps) if (step.kind === "wipe-signatures") written.push(...step.ranges);
  expect(plan.reserved.length).toBe(3);
  const clashes = written.filter((range) =>
    reserved.some(
      (kept) =>
        range.startBytes < kept.startBytes + kept.sizeBytes &&
        kept.startBytes < range.startBytes + range.sizeBytes,
    ),
  );
  expect(written.length).toBeGreaterThan(6);
  expect(clashes).toEqual([]);
});

test("a stash where the new boot partition must lie is refused", () => {
  const reserved = [{ startBytes: 500 * MiB, sizeBytes: MiB }];
  const plan = () => planConversion({ ...examplePlanInput(exampleFacts()), reserved });
  expect(refusal(plan)).toEqual(["stash-in-the-way"]);
});

test("a volume that does not fit is named", () => {
  const manifest = exampleManifest();
  manifest.layout.volumes[2]!.sizeBytes = 4 * GiB;
  expect(() => planConversion(examplePlanInput(exampleFacts(), manifest))).toThrow(/Volume image \(4 GiB\)/);
});

test("a disk that is too small, one that is gone, and two that look alike are refused", () => {
  const facts = exampleFacts();
  const small = exampleManifest();
  small.requirements.diskBytes = 11 * GiB;
  expect(refusal(() => planConversion(examplePlanInput(facts, small)))).toEqual(["disk-too-small"]);
  const input = examplePlanInput(facts);
  expect(refusal(() => planConversion({ ...input, facts: { ...facts, disks: [] } }))).toEqual([
    "disk-not-found",
  ]);
  const grown = { ...facts.disks[0]!, sizeBytes: facts.disks[0]!.sizeBytes * 2 };
  expect(refusal(() => planConversion({ ...input, facts: { ...facts, disks: [grown] } }))).toEqual([
    "disk-not-found",
  ]);
  const twins = { ...facts, disks: [facts.disks[0]!, { ...facts.disks[0]!, name: "vdb", path: "/dev/vdb" }] };
  expect(refusal(() => planConversion({ ...input, facts: twins }))).toEqual(["disk-ambiguous"]);
});

test("a clone of the disk is told apart by its serial number, and a new name does not matter", () => {
  const facts = exampleFacts();
  const input = examplePlanInput(facts);
  const clone = { ...facts.disks[0]!, name: "vda", path: "/dev/vda", serial: "clone" };
  const moved = { ...facts.disks[0]!, name: "sdb", path: "/dev/sdb" };
  expect(planConversion({ ...input, facts: { ...facts, disks: [clone, moved] } }).disk).toBe("/dev/sdb");
});

test.each([
  ["two volumes of one name", (l) => (l.volumes[3]!.name = "image")],
  ["no slot A", (l) => (l.volumes[0]!.slot = "B")],
  ["a volume below the boot partition's place", (l) => (l.volumes[3]!.mountPoint = "/boot/dualroot/x")],
  ["a slot that is not mounted at /", (l) => (l.volumes[0]!.mountPoint = "/srv")],
] satisfies [string, (layout: ReturnType<typeof exampleManifest>["layout"]) => unknown][])(
  "a layout with %s is refused",
  (_, change) => {
    const manifest = exampleManifest();
    change(manifest.layout);
    expect(refusal(() => planConversion(examplePlanInput(exampleFacts(), manifest)))).toContain(
      "layout-invalid",
    );
  },
);
