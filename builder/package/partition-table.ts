import { planPartitions } from "../../agent/plan/partitions.ts";
import { sha256Hex } from "../../format/digest.ts";
import { encodeSgdiskBackup, gptSectorBytes } from "../../format/partition-table.ts";
import type { BuildPlan } from "../plan/build-plan.ts";

/** partition-table.sgdisk for the smallest disk that will do; the gateway adapts it to its own. GUIDs follow from the release. */
export function partitionTableFile({ layout, diskBytes, release }: BuildPlan): Uint8Array {
  const seed = sha256Hex(
    ["partition-table", release.compatible, release.name, release.version].join("\0"),
  ).slice(0, 32);
  return encodeSgdiskBackup(planPartitions(layout, Math.floor(diskBytes / gptSectorBytes), seed));
}
