import { expect, test } from "vitest";
import { compareWithKernel } from "../../../../agent/steps/write-partition-table.ts";

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
