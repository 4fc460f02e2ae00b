import { InternalError, UserError, type Problem } from "../../format/errors.ts";
import { gptSectorBytes } from "../../format/partition-table.ts";
import { planConversion, type PlanInput } from "./conversion-plan.ts";
import { extentsToBytes, mapExtents, type ExtentMap } from "./extents.ts";
import type { ByteRange, ConversionPlan } from "./step.ts";

/** The part of the disk where the new layout has extents: all else will be table, boot partitions, or LVM's metadata. */
export function stashRegion(plan: Pick<ConversionPlan, "table" | "extentBytes">): ByteRange {
  const map = extentMap(plan);
  return extentsToBytes(map, { first: 0, count: map.totalExtents });
}

/** Bytes that no volume of the layout takes. */
export function freeLayoutBytes(plan: Pick<ConversionPlan, "table" | "extentBytes" | "volumes">): number {
  const taken = plan.volumes
    .flatMap(({ extents }) => extents)
    .reduce((sum, { count }) => sum + count * plan.extentBytes, 0);
  return stashRegion(plan).sizeBytes - taken;
}

/** What stands against a stash in these ranges: bytes the new layout needs, or volumes that no longer fit around it. */
export function judgeStashRanges(input: PlanInput, ranges: readonly ByteRange[]): Problem[] {
  try {
    planConversion({ ...input, reserved: ranges });
    return [];
  } catch (error) {
    if (error instanceof UserError) return [...error.problems];
    throw error;
  }
}

function extentMap({ table, extentBytes }: Pick<ConversionPlan, "table" | "extentBytes">): ExtentMap {
  const volumes = table.partitions.find(({ number }) => number === 3);
  if (!volumes) throw new InternalError("the planned table has no partition 3");
  const { firstSector, lastSector } = volumes;
  return mapExtents(
    { startBytes: firstSector * gptSectorBytes, sizeBytes: (lastSector - firstSector + 1) * gptSectorBytes },
    extentBytes,
  );
}
