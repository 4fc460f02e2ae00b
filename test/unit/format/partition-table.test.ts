import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { planPartitions } from "../../../agent/plan/partitions.ts";
import {
  decodeSgdiskBackup,
  encodeSgdiskBackup,
  PartitionTableError,
  partitionTypes,
  sgdiskBackupBytes,
  type PlannedTable,
} from "../../../format/partition-table.ts";
import { GiB, MiB } from "../../../format/sizes.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-gpt-"));
afterAll(() => rmSync(folder, { recursive: true }));

const layout = {
  biosBootBytes: 2 * MiB,
  bootBytes: GiB,
  volumeGroup: "VA",
  extentBytes: 4 * MiB,
  volumes: [],
};
const seed = "00112233445566778899aabbccddeeff";

function sgdisk(...args: string[]): string {
  return execFileSync("sgdisk", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function emptyDisk(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

test.each([
  ["10 GiB", 10 * GiB],
  ["an odd number of sectors", 10 * GiB + 512 * 12_345],
  ["3 TiB, more than the protective MBR can say", 3072 * GiB],
])("to the byte what sgdisk --backup writes: %s", (_, bytes) => {
  const table = planPartitions(layout, bytes / 512, seed);
  const disk = emptyDisk("made-by-sgdisk", bytes);
  const make = table.partitions.flatMap(({ number, name, typeGuid, guid, firstSector, lastSector }) => [
    `--new=${number}:${firstSector}:${lastSector}`,
    `--typecode=${number}:${typeGuid}`,
    `--change-name=${number}:${name}`,
    `--partition-guid=${number}:${guid}`,
  ]);
  sgdisk("--clear", `--disk-guid=${table.diskGuid}`, ...make, disk);
  const backup = join(folder, "backup");
  sgdisk(`--backup=${backup}`, disk);
  const theirs = readFileSync(backup);
  expect(theirs.length).toBe(sgdiskBackupBytes);
  expect(Buffer.from(encodeSgdiskBackup(table)).equals(theirs)).toBe(true);
  expect(decodeSgdiskBackup(theirs)).toEqual(table);
});

test("sgdisk loads it onto a disk and finds no fault", () => {
  const table = planPartitions(layout, (10 * GiB) / 512, seed);
  const disk = emptyDisk("loaded", 10 * GiB);
  const backup = join(folder, "ours");
  writeFileSync(backup, encodeSgdiskBackup(table));
  sgdisk(`--load-backup=${backup}`, disk);
  expect(sgdisk("--verify", disk)).toContain("No problems found");
  const printed = sgdisk("--print", disk);
  expect(printed).toContain(`Disk identifier (GUID): ${table.diskGuid.toUpperCase()}`);
  expect(printed).toMatch(/1\s+2048\s+6143\s+2\.0 MiB\s+EF02\s+BIOS boot/);
  expect(printed).toMatch(/3\s+2103296\s+20969471\s+9\.0 GiB\s+8E00\s+dualroot volumes/);
});

const guid = fc.uuid();
const anyTable: fc.Arbitrary<PlannedTable> = fc
  .record({
    diskGuid: guid,
    cuts: fc.uniqueArray(fc.integer({ min: 34, max: 1_000_000 }), { maxLength: 20 }),
    names: fc.array(fc.string({ maxLength: 36, unit: fc.constantFrom("a", "Z", "0", " ", "_", "é", "漢") }), {
      minLength: 10,
      maxLength: 10,
    }),
    guids: fc.array(guid, { minLength: 10, maxLength: 10 }),
    numbers: fc.uniqueArray(fc.integer({ min: 1, max: 128 }), { minLength: 10, maxLength: 10 }),
  })
  .map(({ diskGuid, cuts, names, guids, numbers }) => {
    const sorted = [...cuts].sort((a, b) => a - b);
    const pairs = Array.from({ length: Math.floor(sorted.length / 2) }, (_, index) => index);
    return {
      diskGuid,
      sectorBytes: 512,
      diskSectors: 1_000_100,
      partitions: pairs
        .map((index) => ({
          number: numbers[index]!,
          name: names[index]!,
          typeGuid: partitionTypes.linuxFilesystem,
          guid: guids[index]!,
          firstSector: sorted[2 * index]!,
          lastSector: sorted[2 * index + 1]! - 1,
        }))
        .sort((a, b) => a.number - b.number),
    };
  });

test("what is encoded is decoded again", () => {
  fc.assert(
    fc.property(anyTable, (table) => {
      expect(decodeSgdiskBackup(encodeSgdiskBackup(table))).toEqual(table);
    }),
    { numRuns: 300, seed: 3 },
  );
});

test("one flipped bit never passes, and any bytes give a table or a PartitionTableError", () => {
  const good = Buffer.from(encodeSgdiskBackup(planPartitions(layout, (10 * GiB) / 512, seed)));
  // Boot code and CHS fields of the protective MBR carry no meaning; everything behind it does.
  fc.assert(
    fc.property(
      fc.integer({ min: 512, max: good.length - 1 }),
      fc.integer({ min: 0, max: 7 }),
      (byte, bit) => {
        const bad = Buffer.from(good);
        bad[byte]! ^= 1 << bit;
        expect(() => decodeSgdiskBackup(bad)).toThrow(PartitionTableError);
      },
    ),
    { numRuns: 3000, seed: 4 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2 * sgdiskBackupBytes }), (bytes) => {
      expect(() => decodeSgdiskBackup(bytes)).toThrow(PartitionTableError);
    }),
    { numRuns: 200, seed: 5 },
  );
});

test.each([
  ["overlap", (t) => (t.partitions[1]!.firstSector -= 1)],
  ["lie behind the end", (t) => (t.partitions[2]!.lastSector = t.diskSectors - 33)],
  ["end before they start", (t) => (t.partitions[0]!.lastSector = 2047)],
  ["share a number", (t) => (t.partitions[1]!.number = 1)],
  ["have a number beyond 128", (t) => (t.partitions[1]!.number = 129)],
  ["have too long a name", (t) => (t.partitions[1]!.name = "x".repeat(37))],
  ["have a GUID that is none", (t) => (t.partitions[1]!.guid = "nonsense")],
  ["have 4096-byte sectors", (t) => (t.sectorBytes = 4096)],
] satisfies [string, (table: PlannedTable) => unknown][])(
  "a table is not written whose partitions %s",
  (_, change) => {
    const table = planPartitions(layout, (10 * GiB) / 512, seed);
    change(table);
    expect(() => encodeSgdiskBackup(table)).toThrow(PartitionTableError);
  },
);
