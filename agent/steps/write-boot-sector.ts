import { open, readFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { placeBootImage, placeCoreImage } from "../boot/core-image.ts";
import type { StepOf } from "../plan/step.ts";
import type { StepContext } from "./step-context.ts";

const sectorBytes = 512;

/**
 * Makes the disk boot the new system: core.img first, then sector 0 in one write. Until that write the disk boots as before.
 */
export async function writeBootSector(
  step: StepOf<"write-boot-sector">,
  context: Pick<StepContext, "run" | "runtimeFolder">,
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
  // The medium answers, not the kernel's cache; on an image file there is no cache to drop.
  const dropCache = async (disk: FileHandle): Promise<void> => {
    await disk.sync();
    if ((await disk.stat()).isBlockDevice()) await context.run("blockdev", ["--flushbufs", step.disk]);
  };

  const disk = await open(step.disk, "r+");
  try {
    await writeChecked(disk, core, startBytes, `GRUB's core on ${step.disk}`, dropCache);
    const sector0 = await readExactly(disk, sectorBytes, 0);
    const placed = placeBootImage(await readFile(join(grubFolder, "boot.img")), sector0, firstSector);
    await writeChecked(disk, placed, 0, `sector 0 of ${step.disk}`, dropCache);
  } finally {
    await disk.close();
  }
}

async function writeChecked(
  disk: FileHandle,
  bytes: Buffer,
  position: number,
  what: string,
  dropCache: (disk: FileHandle) => Promise<void>,
): Promise<void> {
  const { bytesWritten } = await disk.write(bytes, 0, bytes.length, position);
  if (bytesWritten !== bytes.length)
    throw new StepError(`${what}: only ${bytesWritten} of ${bytes.length} bytes were written`);
  await dropCache(disk);
  if (!(await readExactly(disk, bytes.length, position)).equals(bytes)) {
    throw new StepError(`${what} reads back different from what was written`, {
      hint: "The disk is failing or write-protected.",
    });
  }
}

async function readExactly(disk: FileHandle, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await disk.read(buffer, 0, length, position);
  if (bytesRead !== length)
    throw new StepError(`only ${bytesRead} of ${length} bytes could be read at byte ${position}`);
  return buffer;
}
