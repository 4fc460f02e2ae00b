import { open } from "node:fs/promises";
import { basename } from "node:path";
import { StepError } from "../../format/errors.ts";
import { encodeTable, gptSectorBytes } from "../../format/partition-table.ts";
import { openTree, type Tree } from "../facts/tree.ts";
import type { PlannedTable, StepOf } from "../plan/step.ts";
import { waitUntil } from "../system/wait-until.ts";
import type { StepContext } from "./step-context.ts";

const kernelWaitSeconds = 20;

/** Writes the GPT and waits until the kernel shows exactly it. */
export async function writePartitionTable(
  step: StepOf<"write-partition-table">,
  { run }: StepContext,
): Promise<void> {
  await writeTable(step);
  await run("sgdisk", ["--verify", step.disk]);
  // Busy means something still holds a partition; the wait below would then say what the kernel sees.
  await run("blockdev", ["--rereadpt", step.disk], { acceptExitCodes: [1] });
  let differences: string[] = [];
  const agreed = await waitUntil(kernelWaitSeconds, async () => {
    differences = compareWithKernel(step.table, await kernelPartitions(openTree("/"), basename(step.disk)));
    return differences.length === 0;
  });
  if (!agreed)
    throw new StepError(`the kernel does not see the new partition table: ${differences.join("; ")}`);
}

/** Main header and entries behind sector 0, entries and backup header at the end; sector 0 only when nothing boots from it. */
export async function writeTable({
  disk,
  table,
  sector0,
}: Pick<StepOf<"write-partition-table">, "disk" | "table" | "sector0">): Promise<void> {
  const { protectiveMbr, header, backupHeader, entries } = encodeTable(table);
  const endBytes = table.diskSectors * gptSectorBytes;
  const file = await open(disk, "r+");
  try {
    const write = async (bytes: Uint8Array, position: number): Promise<void> => {
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, position);
      if (bytesWritten !== bytes.length)
        throw new StepError(`only ${bytesWritten} of ${bytes.length} bytes were written at byte ${position}`);
    };
    await write(entries, endBytes - gptSectorBytes - entries.length);
    await write(backupHeader, endBytes - gptSectorBytes);
    await write(entries, 2 * gptSectorBytes);
    await write(header, gptSectorBytes);
    if (sector0 === "protective-mbr") await write(protectiveMbr, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

export interface KernelPartition {
  number: number;
  firstSector: number;
  lastSector: number;
}

/** Empty when the kernel's view equals the plan. */
export function compareWithKernel(table: PlannedTable, seen: readonly KernelPartition[]): string[] {
  const shown = (partition: KernelPartition | undefined): string =>
    partition === undefined ? "absent" : `sectors ${partition.firstSector}-${partition.lastSector}`;
  const numbers = new Set([...table.partitions, ...seen].map(({ number }) => number));
  return [...numbers]
    .sort((one, other) => one - other)
    .flatMap((number) => {
      const planned = shown(table.partitions.find((partition) => partition.number === number));
      const actual = shown(seen.find((partition) => partition.number === number));
      return planned === actual ? [] : [`partition ${number}: planned ${planned}, kernel ${actual}`];
    });
}

async function kernelPartitions(tree: Tree, disk: string): Promise<KernelPartition[]> {
  // sysfs counts in 512 bytes; the table in the disk's own sectors.
  const ratio = (Number(await tree.text(`/sys/block/${disk}/queue/logical_block_size`)) || 512) / 512;
  const partitions: KernelPartition[] = [];
  for (const child of await tree.list(`/sys/block/${disk}`)) {
    const folder = `/sys/block/${disk}/${child}`;
    const number = Number(await tree.text(`${folder}/partition`));
    if (!number) continue;
    const firstSector = Number(await tree.text(`${folder}/start`)) / ratio;
    partitions.push({
      number,
      firstSector,
      lastSector: firstSector + Number(await tree.text(`${folder}/size`)) / ratio - 1,
    });
  }
  return partitions;
}
