import { open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { packageFiles } from "../../format/manifest.ts";
import { encodeTable } from "../../format/partition-table.ts";
import { resumeRecordBytes } from "../../format/stash.ts";
import { placeBootImage, placeCoreImage } from "../boot/core-image.ts";
import { loaderModules, loaderScript, sectorsHolding } from "../boot/resume-loader.ts";
import { encodeResumeRecord } from "../boot/resume-record.ts";
import { resumeWords } from "../boot/resume-words.ts";
import type { ByteRange, StepOf } from "../plan/step.ts";
import type { StepContext } from "./step-context.ts";
import { switchSectorZero } from "./switch-sector-zero.ts";
import { readExactly, sectorBytes, writeChecked } from "./write-sectors.ts";

/**
 * The point of no return: from the write of sector 0 on, a reset starts this ramdisk again from the stash on the disk. The
 * flush behind the loader takes to the medium whatever was written to the stash before.
 */
export async function armResumeLoader(
  step: StepOf<"arm-resume-loader">,
  context: StepContext,
  workFolder = "/run/dualroot",
): Promise<void> {
  const { stash, place, runtimeFolder, without } = context;
  const loader = stash.space?.loader;
  if (!place || !loader) throw new StepError("the stash is not on the disk, so nothing could resume from it");
  const words = resumeWords({
    ...(context.words.stash ? { stash: context.words.stash } : {}),
    place,
    recordAt: loader.startBytes,
    ...(context.oldSystem?.path === step.disk ? { oldSystem: context.oldSystem } : {}),
    without: [...without],
    consoles: step.consoles,
  });
  const grubFolder = join(runtimeFolder, "usr/lib/dualroot/grub");
  const image = await makeLoaderImage({ grubFolder, workFolder, words, consoles: step.consoles }, context);
  const coreStart = loader.startBytes + resumeRecordBytes;
  const core = placeCoreImage(image, coreStart / sectorBytes);
  if (resumeRecordBytes + core.length > loader.sizeBytes)
    throw new StepError(
      `the resume loader of ${core.length} bytes does not fit its ${loader.sizeBytes} bytes`,
    );
  const { protectiveMbr } = encodeTable(step.table);
  const bootImage = await readFile(join(grubFolder, "boot.img"));
  const sector0 = placeBootImage(bootImage, protectiveMbr, coreStart / sectorBytes);

  const disk = await open(step.disk, "r+");
  try {
    const path = step.disk;
    const record = Buffer.alloc(resumeRecordBytes);
    encodeResumeRecord({ starts: 0, failures: 0 }).copy(record);
    const bytes = Buffer.concat([record, core]);
    const what = `the resume loader on ${path}`;
    await writeChecked(disk, { bytes, position: loader.startBytes, what, path }, context);
    await switchSectorZero(disk, { path, bytes: sector0, commandLine: words.join(" ") }, context);
  } finally {
    await disk.close();
  }
  // In ram mode the package was in memory as well; from here on the copy on the disk is what counts.
  for (const name of [packageFiles.kernel, packageFiles.ramdisk, packageFiles.rootfs])
    await rm(join(workFolder, "package", name), { force: true });
}

interface LoaderInput {
  grubFolder: string;
  workFolder: string;
  words: readonly string[];
  consoles: readonly string[];
}

async function makeLoaderImage(
  { grubFolder, workFolder, words, consoles }: LoaderInput,
  { stored, run }: StepContext,
): Promise<Buffer> {
  const kernelFile = stored(packageFiles.kernel);
  const [kernel, ...more] = sectorsHolding(kernelFile.ranges, kernelFile.sizeBytes);
  if (!kernel || more.length > 0)
    throw new StepError(
      `the kernel lies in ${more.length + 1} ranges of the disk; GRUB reads it from one only`,
    );
  const ramdiskFile = stored(packageFiles.ramdisk);
  const ramdisk = sectorsHolding(ramdiskFile.ranges, ramdiskFile.sizeBytes);
  await refuseTail(ramdiskFile.path, ramdisk, ramdiskFile.sizeBytes);
  const script = join(workFolder, "resume-loader.cfg");
  const image = join(workFolder, "resume-loader.img");
  await writeFile(script, loaderScript({ kernel, ramdisk, words, consoles }));
  const modulesFolder = join(grubFolder, "i386-pc");
  await run("grub-mkimage", [
    "--format=i386-pc",
    `--directory=${modulesFolder}`,
    // No folder is ever read from; without a device in it, GRUB's root becomes the disk it was started from.
    "--prefix=/",
    `--config=${script}`,
    `--output=${image}`,
    ...loaderModules,
  ]);
  return readFile(image);
}

/** GRUB hands whole sectors to Linux, which takes zeros behind the image for padding, and anything else for another archive. */
async function refuseTail(path: string, sectors: readonly ByteRange[], sizeBytes: number): Promise<void> {
  const last = sectors.at(-1);
  const tailBytes = sectors.reduce((sum, range) => sum + range.sizeBytes, 0) - sizeBytes;
  if (!last || tailBytes === 0) return;
  const disk = await open(path, "r");
  try {
    const tail = await readExactly(disk, tailBytes, last.startBytes + last.sizeBytes - tailBytes);
    if (tail.some((byte) => byte !== 0))
      throw new StepError("the ramdisk's last sector on the disk does not end with zeros");
  } finally {
    await disk.close();
  }
}
