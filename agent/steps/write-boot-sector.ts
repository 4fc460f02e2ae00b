import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { placeBootImage, placeCoreImage } from "../boot/core-image.ts";
import type { StepOf } from "../plan/step.ts";
import type { StepContext } from "./step-context.ts";
import { readExactly, sectorBytes, writeChecked } from "./write-sectors.ts";

/**
 * Makes the disk boot the new system: core.img first, then sector 0 in one write. Until that write the disk boots as before.
 * The flush behind core.img takes everything that was written before to the medium as well.
 */
export async function writeBootSector(
  step: StepOf<"write-boot-sector">,
  context: Pick<StepContext, "run" | "runtimeFolder" | "without">,
): Promise<void> {
  const { startBytes, sizeBytes } = step.biosBoot;
  const firstSector = startBytes / sectorBytes;
  const grubFolder = join(context.runtimeFolder, "usr/lib/dualroot/grub");
  const core = placeCoreImage(await readFile(join(grubFolder, "core.img")), firstSector);
  if (!Number.isInteger(firstSector) || core.length > sizeBytes) {
    throw new StepError(
      `GRUB's core of ${core.length} bytes does not fit ${sizeBytes} bytes at byte ${startBytes} of ${step.disk}`,
    );
  }
  const disk = await open(step.disk, "r+");
  try {
    const path = step.disk;
    const what = `GRUB's core on ${path}`;
    await writeChecked(disk, { bytes: core, position: startBytes, what, path }, context);
    const sector0 = await readExactly(disk, sectorBytes, 0);
    const placed = placeBootImage(await readFile(join(grubFolder, "boot.img")), sector0, firstSector);
    await writeChecked(disk, { bytes: placed, position: 0, what: `sector 0 of ${path}`, path }, context);
  } finally {
    await disk.close();
  }
}
