import { InternalError, type Problem } from "../../format/errors.ts";
import type { Layout } from "../../format/layout.ts";
import {
  gptLastUsableSector,
  gptSectorBytes,
  partitionTypes,
  type PlannedPartition,
  type PlannedTable,
} from "../../format/partition-table.ts";
import { formatSize, MiB } from "../../format/sizes.ts";
import { deriveUuid } from "./derive-uuid.ts";
import type { ByteRange } from "./step.ts";

const alignmentSectors = MiB / gptSectorBytes;

/** What each of the three partitions is for; the table holds them in this order. */
const roles = [
  { number: 1, purpose: "bios-boot", name: "BIOS boot", typeGuid: partitionTypes.biosBoot },
  { number: 2, purpose: "boot", name: "dualroot boot", typeGuid: partitionTypes.linuxFilesystem },
  { number: 3, purpose: "volumes", name: "dualroot volumes", typeGuid: partitionTypes.linuxLvm },
] as const;

/** Smallest disk, in bytes, that holds both fixed partitions and one aligned MiB of the third. */
export function smallestDiskBytes(layout: Layout): number {
  return (
    (sectorsOf(layout.biosBootBytes) + sectorsOf(layout.bootBytes) + 3 * alignmentSectors) * gptSectorBytes
  );
}

/** The target's GPT: everything starts and ends on a MiB, partition 3 takes the rest, GUIDs come from the seed. */
export function planPartitions(layout: Layout, diskSectors: number, seed: string): PlannedTable {
  const firstOfBoot = alignmentSectors + sectorsOf(layout.biosBootBytes);
  const firstOfVolumes = firstOfBoot + sectorsOf(layout.bootBytes);
  const starts = [alignmentSectors, firstOfBoot, firstOfVolumes];
  const ends = [firstOfBoot, firstOfVolumes, endOfVolumes(diskSectors)];
  return {
    diskGuid: deriveUuid(seed, "disk"),
    sectorBytes: gptSectorBytes,
    diskSectors,
    partitions: roles.map(({ number, purpose, name, typeGuid }, index) => ({
      number,
      name,
      typeGuid,
      guid: deriveUuid(seed, `partition ${purpose}`),
      firstSector: starts[index]!,
      lastSector: ends[index]! - 1,
    })),
  };
}

/** The package's table, made for a nominal disk, on the gateway's own disk and with the gateway's own GUIDs. */
export function adaptTable(template: PlannedTable, diskSectors: number, seed: string): PlannedTable {
  return {
    ...template,
    diskSectors,
    diskGuid: deriveUuid(seed, "disk"),
    partitions: template.partitions.map((partition) => {
      const purpose =
        roles.find((role) => role.number === partition.number)?.purpose ?? String(partition.number);
      const guid = deriveUuid(seed, `partition ${purpose}`);
      if (purpose !== "volumes") return { ...partition, guid };
      return { ...partition, guid, lastSector: endOfVolumes(diskSectors) - 1 };
    }),
  };
}

/** Does the table in the package say what its manifest says? Everything but GUIDs and the end of partition 3 is compared. */
export function checkTemplate(template: PlannedTable, layout: Layout): Problem[] {
  const expected = planPartitions(layout, template.diskSectors, "");
  const differences: string[] = [];
  if (template.partitions.length !== expected.partitions.length) {
    differences.push(
      `it has ${template.partitions.length} partitions, the layout ${expected.partitions.length}`,
    );
  }
  for (const wanted of expected.partitions) {
    const found = template.partitions.find((partition) => partition.number === wanted.number);
    if (found && !isSamePlace(found, wanted)) {
      differences.push(
        `partition ${wanted.number} is ${describePlace(found)}, the layout says ${describePlace(wanted)}`,
      );
    }
  }
  return differences.map((difference) => ({
    code: "partition-table-mismatch",
    message: `The package's partition table does not agree with its manifest: ${difference}.`,
    hint: "Build the package again; this one was put together wrongly.",
    where: "partition-table.sgdisk",
  }));
}

function isSamePlace(a: PlannedPartition, b: PlannedPartition): boolean {
  return a.typeGuid === b.typeGuid && a.firstSector === b.firstSector && a.lastSector === b.lastSector;
}

function describePlace({ firstSector, lastSector, typeGuid }: PlannedPartition): string {
  return `${formatSize((lastSector - firstSector + 1) * gptSectorBytes)} from sector ${firstSector}, type ${typeGuid}`;
}

/** Where the partition lies on the disk. */
export function partitionBytes(table: PlannedTable, number: number): ByteRange {
  const partition = table.partitions.find((candidate) => candidate.number === number);
  if (!partition) throw new InternalError(`the planned table has no partition ${number}`);
  const { firstSector, lastSector } = partition;
  return {
    startBytes: firstSector * gptSectorBytes,
    sizeBytes: (lastSector - firstSector + 1) * gptSectorBytes,
  };
}

function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / MiB) * alignmentSectors;
}

function endOfVolumes(diskSectors: number): number {
  return Math.floor((gptLastUsableSector(diskSectors) + 1) / alignmentSectors) * alignmentSectors;
}
