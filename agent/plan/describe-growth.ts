import { formatSize } from "../../format/sizes.ts";
import { mapExtents } from "./extents.ts";
import { partitionBytes } from "./partitions.ts";
import { planGrowth } from "./plan-growth.ts";
import type { ConversionPlan } from "./step.ts";

/** One sentence: what becomes of the space that is free once the new system is committed and the stash released. */
export function describeGrowth({ volumes, table, extentBytes, volumeGroup }: ConversionPlan): string {
  const total = mapExtents(partitionBytes(table, 3), extentBytes).totalExtents;
  const sized = volumes.map(({ name, extents, growWeight = 0, slot }) => ({
    name,
    extents: extents.reduce((sum, { count }) => sum + count, 0),
    weight: growWeight,
    ...(slot ? { slot } : {}),
  }));
  const free = sized.reduce((left, { extents }) => left - extents, total);
  const more = planGrowth(sized, free);
  if (more.size === 0)
    return `After the commit ${formatSize(free * extentBytes)} of ${volumeGroup} stay free.`;
  const grown = sized
    .filter(({ name }) => more.has(name))
    .map(({ name, extents }) => {
      const after = extents + (more.get(name) ?? 0);
      return `${name} from ${formatSize(extents * extentBytes)} to ${formatSize(after * extentBytes)}`;
    });
  return `After the commit the free ${formatSize(free * extentBytes)} are handed out: ${grown.join(", ")}.`;
}
