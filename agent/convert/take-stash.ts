import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { sha256Hex } from "../../format/digest.ts";
import { userError, type UserError } from "../../format/errors.ts";
import { identitySchema, type Identity } from "../../format/identity.ts";
import { manifestName, signatureName, type Manifest } from "../../format/manifest.ts";
import type { Reporter } from "../../format/events.ts";
import { formatSize } from "../../format/sizes.ts";
import { stashFile, stashFiles, stashSchema, type Stash, type StashFile } from "../../format/stash.ts";
import { packageBytes } from "../checks/package-bytes.ts";
import { workingBytes } from "../checks/ramdisk-memory.ts";
import { parseMemory } from "../facts/parse-proc.ts";
import { parseManifest } from "../package/read-package.ts";
import { copyMeasured, exists, readBounded, sha256File } from "../system/files.ts";

const stashMaxBytes = 1024 * 1024;
const identityMaxBytes = 16 * 1024 * 1024;

/** Everything stage 2 needs from the old disk, in memory. */
export interface TakenStash {
  stash: Stash;
  identity: Identity;
  preservedTar: string;
  packageFolder: string;
}

export const memoryFolder = "/run/dualroot";
const packageFolder = join(memoryFolder, "package");
const stashCopy = join(memoryFolder, "stash");

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
 * Copies the stash into memory, after asking whether it fits. Verifying comes after, on the copy: returns the SHA-256 of the
 * package's files as they were written, by name, which saves reading them again.
 */
export async function copyStashToMemory(
  { folder, stash, manifest }: FoundStash,
  report: Reporter,
): Promise<Map<string, string>> {
  await refuseTooLittleMemory(manifest, stash);
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
  const identity = entryOf(stash, stashFiles.identity);
  const identityBytes = await readBounded(join(stashCopy, identity.name), identityMaxBytes);
  if (identityBytes === undefined || sha256Hex(identityBytes) !== identity.sha256)
    throw damaged(`${identity.name} was changed`);
  const preserved = entryOf(stash, stashFiles.preserved);
  const preservedTar = join(stashCopy, preserved.name);
  if ((await sha256File(preservedTar)) !== preserved.sha256) throw damaged(`${preserved.name} was changed`);
  return {
    stash,
    identity: parseJson(identitySchema, identityBytes, identity.name),
    preservedTar,
    packageFolder,
  };
}

function entryOf(stash: Stash, name: string): StashFile {
  const found = stashFile(stash, name);
  if (!found) throw damaged(`stash.json lists no ${name}`);
  return found;
}

async function readStash(folder: string, sha256: string): Promise<Stash> {
  const path = join(folder, "stash.json");
  const bytes = await readBounded(path, stashMaxBytes);
  if (bytes === undefined) throw damaged("stash.json is missing");
  if (sha256Hex(bytes) !== sha256)
    throw damaged("stash.json is not the one stage 1 has named on the command line");
  return parseJson(stashSchema, bytes, "stash.json");
}

function parseJson<T>(schema: z.ZodType<T>, bytes: Uint8Array, name: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (error) {
    throw damaged(
      `${name} has not the expected form: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
    );
  }
}

async function refuseTooLittleMemory(manifest: Manifest, stash: Stash): Promise<void> {
  const { availableBytes } = parseMemory(await readFile("/proc/meminfo", "utf8"));
  const needed = packageBytes(manifest) + entryOf(stash, stashFiles.preserved).sizeBytes + workingBytes;
  if (availableBytes >= needed) return;
  throw userError(
    {
      code: "memory-too-small",
      message: `The ramdisk needs ${formatSize(needed)} of free memory for the package and its work, has ${formatSize(availableBytes)}.`,
      hint: "Give the gateway more memory, or build a smaller package.",
    },
    "refused",
  );
}

function damaged(what: string): UserError {
  return userError(
    {
      code: "stash-damaged",
      message: `The stash on the old system cannot be used: ${what}.`,
      hint: "Start the conversion again with upgrade.sh; if it stays like this, the old system's disk is failing.",
    },
    "untrusted",
  );
}
