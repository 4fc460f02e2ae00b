import { readFileSync, statSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { sha256File } from "../../agent/system/files.ts";
import type { Run } from "../../agent/system/run.ts";
import { sha256Hex } from "../../format/digest.ts";
import type { Reporter } from "../../format/events.ts";
import { FileDigests } from "../ramdisk/file-digests.ts";
import { writeImage } from "../ramdisk/write-image.ts";
import { helperDrivers, helperToolPackages } from "./contents.ts";
import { helperEntries } from "./helper-entries.ts";
import { touch, withScratch } from "./helper-cache.ts";
import type { HelperKernel } from "./helper-kernel.ts";
import { areCurrent, stampsOf, stampsSchema } from "./input-stamps.ts";

export interface HelperImage {
  file: string;
  sha256: string;
  sizeBytes: number;
}

const recordSchema = z.strictObject({
  stamps: stampsSchema,
  file: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int(),
});

/** Raised when the same inputs make another image. */
const imageVersion = 1;
const sources = ["contents.ts", "helper-entries.ts", "reseed-program.ts", "init.sh", "fstab"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
/** A program that comes or goes here changes what goes in. */
const toolFolders = ["/usr/sbin", "/usr/bin", "/etc/ld.so.conf.d"];

/**
 * The helper's ramdisk, uncompressed; from the cache when nothing it is made of has changed, which takes some milliseconds
 * to see. `extraTools` are names or paths of the build host's programs.
 */
export async function helperImage(
  kernel: HelperKernel,
  extraTools: readonly string[],
  { run, cacheFolder, report }: { run: Run; cacheFolder: string; report: Reporter },
): Promise<HelperImage> {
  // With the sources' places: another dualroot on this host has its own.
  const made = [imageVersion, kernel, extraTools, helperToolPackages, helperDrivers, sources];
  const recipe = JSON.stringify(made);
  const recordFile = join(cacheFolder, `ramdisk-${sha256Hex(Buffer.from(recipe)).slice(0, 24)}.json`);
  const known = readRecord(recordFile);
  if (known !== undefined) {
    await touch(known.file);
    return known;
  }
  await mkdir(cacheFolder, { recursive: true });
  const digests = new FileDigests(join(cacheFolder, "digests.json"));
  const { segments, inputs } = await helperEntries(kernel, extraTools, { run, cacheFolder, report });
  // Before the files are read: what changes meanwhile makes the record stale.
  const stamps = stampsOf([...sources, ...toolFolders, kernel.modulesFolder, ...inputs]);
  const image = await withScratch(recordFile, async (scratch) => {
    await writeImage(segments, { cacheFolder, digests, run, compression: "none" }, scratch);
    const sha256 = await sha256File(scratch);
    const file = join(cacheFolder, `ramdisk-${sha256.slice(0, 24)}.img`);
    await rename(scratch, file);
    return { file, sha256, sizeBytes: statSync(file).size };
  });
  await withScratch(recordFile, async (scratch) => {
    await writeFile(scratch, JSON.stringify({ stamps, ...image }));
    await rename(scratch, recordFile);
  });
  return image;
}

function readRecord(path: string): HelperImage | undefined {
  try {
    const { stamps, ...image } = recordSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (!areCurrent(stamps) || statSync(image.file).size !== image.sizeBytes) return undefined;
    return image;
  } catch {
    // None, or a damaged one: made anew.
    return undefined;
  }
}
