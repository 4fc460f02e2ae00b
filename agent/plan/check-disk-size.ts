import type { Problem } from "../../format/errors.ts";
import type { Manifest } from "../../format/manifest.ts";
import { gptSectorBytes } from "../../format/partition-table.ts";
import { formatSizePair } from "../../format/sizes.ts";
import type { DiskFacts } from "../facts/facts.ts";
import { smallestDiskBytes } from "./partitions.ts";

/** Can this disk take the layout at all? Whether every volume fits is `planVolumes`' answer. */
export function checkDiskSize(manifest: Manifest, disk: DiskFacts): Problem[] {
  const problems: Problem[] = [];
  if (disk.logicalSectorBytes !== gptSectorBytes) {
    problems.push({
      code: "sector-size-unsupported",
      message: `The disk ${disk.path} has sectors of ${disk.logicalSectorBytes} bytes; only ${gptSectorBytes} can be converted.`,
      hint: "BIOS machines do not boot from such disks; if this one does, tell us how.",
    });
  }
  const needed = Math.max(manifest.requirements.diskBytes, smallestDiskBytes(manifest.layout));
  if (disk.sizeBytes < needed) {
    const [has, needs] = formatSizePair(disk.sizeBytes, needed);
    problems.push({
      code: "disk-too-small",
      message: `The disk ${disk.path} has ${has}, ${manifest.name} ${manifest.version} needs ${needs}.`,
      hint: "Enlarge the disk, or use a package with a smaller layout.",
    });
  }
  return problems;
}
