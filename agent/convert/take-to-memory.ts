import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex } from "../../format/digest.ts";
import { userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { manifestName, signatureName, type Manifest } from "../../format/manifest.ts";
import { formatSize } from "../../format/sizes.ts";
import { stashFiles, type Stash } from "../../format/stash.ts";
import { packageBytes } from "../checks/package-bytes.ts";
import { workingBytes } from "../checks/ramdisk-memory.ts";
import { parseMemory } from "../facts/parse-proc.ts";
import { parseManifest } from "../package/read-package.ts";
import { copyMeasured, exists, readBounded } from "../system/files.ts";
import {
  damaged,
  entryOf,
  openCopies,
  packageFolder,
  parseStash,
  stashCopy,
  stashMaxBytes,
  storedInMemory,
  type TakenStash,
} from "./taken-stash.ts";

/** A second run in the same ramdisk, after the disk was changed, carries on from the copy in memory. */
export async function hasStashInMemory(): Promise<boolean> {
  return exists(join(stashCopy, "complete"));
}

/** A stash on the mounted old root, known to be the one of the kernel command line; nothing more is verified. */
export interface FoundStash {
  folder: string;
  stash: Stash;
  manifest: Manifest;
}

export async function findStash(stashFolder: string, stashSha256: string): Promise<FoundStash> {
  const stash = await readStash(stashFolder, stashSha256);
  const manifestBytes = await readBounded(join(stashFolder, "package", manifestName), stashMaxBytes);
  if (manifestBytes === undefined || sha256Hex(manifestBytes) !== stash.manifestSha256) {
    throw damaged(`${manifestName} is not the one stage 1 has checked`);
  }
  return { folder: stashFolder, stash, manifest: parseManifest(manifestBytes) };
}

/**
 * Ram mode: copies the stash into memory, after asking whether it fits. Verifying comes after, on the copy: returns the SHA-256
 * of the package's files as they were written, by name, which saves reading them again.
 */
export async function copyStashToMemory(
  { folder, stash, manifest }: FoundStash,
  report: Reporter,
): Promise<Map<string, string>> {
  await refuseTooLittleMemory(packageBytes(manifest) + entryOf(stash, stashFiles.preserved).sizeBytes);
  await mkdir(packageFolder, { recursive: true });
  await mkdir(stashCopy, { recursive: true, mode: 0o700 });
  for (const name of [manifestName, signatureName])
    await copyFile(join(folder, "package", name), join(packageFolder, name));
  const total = packageBytes(manifest);
  const measured = new Map<string, string>();
  let before = 0;
  for (const { name, size } of manifest.files) {
    const onBytes = (bytes: number): void =>
      report({ kind: "progress", step: "take-stash", done: before + bytes, total, unit: "bytes" });
    measured.set(name, await copyMeasured(join(folder, "package", name), join(packageFolder, name), onBytes));
    before += size;
  }
  for (const name of ["stash.json", ...Object.values(stashFiles)])
    await copyFile(join(folder, name), join(stashCopy, name));
  await writeFile(join(stashCopy, "complete"), "");
  return measured;
}

/** The copy in memory, every digest checked; the package's own files are verified by verifyPackage. */
export async function openStashInMemory(stashSha256: string): Promise<TakenStash> {
  const stash = await readStash(stashCopy, stashSha256);
  return { stash, ...(await openCopies(stash)), packageFolder, stored: storedInMemory(stash) };
}

async function readStash(folder: string, sha256: string): Promise<Stash> {
  const bytes = await readBounded(join(folder, "stash.json"), stashMaxBytes);
  if (bytes === undefined) throw damaged("stash.json is missing");
  if (sha256Hex(bytes) !== sha256)
    throw damaged("stash.json is not the one stage 1 has named on the command line");
  return parseStash(bytes);
}

/** `carriedBytes`: what is going to be copied to memory. */
export async function refuseTooLittleMemory(carriedBytes: number): Promise<void> {
  const { availableBytes } = parseMemory(await readFile("/proc/meminfo", "utf8"));
  const needed = carriedBytes + workingBytes;
  if (availableBytes >= needed) return;
  throw userError(
    {
      code: "memory-too-small",
      message: `The ramdisk needs ${formatSize(needed)} of free memory for what it carries and its work, has ${formatSize(availableBytes)}.`,
      hint: "Give the gateway more memory, or build a smaller package.",
    },
    "refused",
  );
}
