import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planPartitions } from "../../../../agent/plan/partitions.ts";
import { compareWithKernel, writeTable } from "../../../../agent/steps/write-partition-table.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { encodeSgdiskBackup } from "../../../../format/partition-table.ts";
import { MiB } from "../../../../format/sizes.ts";
import { exampleManifest, exampleSeed } from "../example.ts";

const partition = (number: 1 | 2 | 3, firstSector: number, lastSector: number) => ({
  number,
  name: "",
  typeGuid: "",
  guid: "",
  firstSector,
  lastSector,
});
const table = {
  diskGuid: "",
  sectorBytes: 512,
  diskSectors: 100_000,
  partitions: [partition(1, 2048, 6143), partition(2, 6144, 9999)],
};
const seen = [
  { number: 1, firstSector: 2048, lastSector: 6143 },
  { number: 2, firstSector: 6144, lastSector: 9999 },
];

test("the kernel's view equal to the plan is no difference", () => {
  expect(compareWithKernel(table, seen)).toEqual([]);
});

test("what is missing, left over or elsewhere is named with both values", () => {
  expect(compareWithKernel(table, [seen[0]!, { number: 5, firstSector: 63, lastSector: 99 }])).toEqual([
    "partition 2: planned sectors 6144-9999, kernel absent",
    "partition 5: planned absent, kernel sectors 63-99",
  ]);
  expect(compareWithKernel(table, [seen[0]!, { ...seen[1]!, lastSector: 9998 }])).toEqual([
    "partition 2: planned sectors 6144-9999, kernel sectors 6144-9998",
  ]);
});

test.each(["keep", "protective-mbr"] as const)(
  "the disk gets the bytes that sgdisk would write, %s in sector 0",
  async (sector0) => {
    const folder = await mkdtemp(join(tmpdir(), "dualroot-table-"));
    try {
      const run = createRun(silent);
      const layout = { ...exampleManifest().layout, bootBytes: 8 * MiB };
      const whole = planPartitions(layout, (32 * MiB) / 512, exampleSeed);
      const disks = [join(folder, "ours"), join(folder, "sgdisk")] as const;
      const old = Buffer.alloc(2 * MiB, 0x5a);
      for (const disk of disks) {
        const file = await open(disk, "w");
        await file.write(old, 0, old.length, 0);
        await file.truncate(whole.diskSectors * 512);
        await file.close();
      }
      await writeFile(join(folder, "backup"), encodeSgdiskBackup(whole));
      await run("sgdisk", [`--load-backup=${join(folder, "backup")}`, disks[1]]);
      await writeTable({ disk: disks[0], table: whole, sector0 });
      if (sector0 === "protective-mbr") await run("cmp", [...disks]);
      else {
        await run("cmp", ["--ignore-initial=512", ...disks]);
        const file = await open(disks[0], "r");
        const sector = Buffer.alloc(512);
        await file.read(sector, 0, 512, 0);
        await file.close();
        expect(sector).toEqual(Buffer.alloc(512, 0x5a));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
