import { copyFile, link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256Hex } from "../../format/digest.ts";
import { StepError, hasErrorCode } from "../../format/errors.ts";
import type { Identity } from "../../format/identity.ts";
import { manifestName, signatureName, type Manifest } from "../../format/manifest.ts";
import { stashFiles, stashSectorBytes, type Stash, type StashFile } from "../../format/stash.ts";
import { sha256File, syncFolder } from "../system/files.ts";
import { syncFile } from "./sync-file.ts";

export interface StashInput {
  /** Folder to make: `/var/lib/dualroot/stash`. */
  folder: string;
  packageFolder: string;
  manifest: Manifest;
  manifestSha256: string;
  identity: Identity;
  /** Writes preserved.tar to the path it is given. */
  writePreserved: (path: string) => Promise<void>;
  /** What stash.json says besides the digests of the files written here. */
  facts: Omit<Stash, "format" | "manifestSha256" | "files" | "space">;
  /** Ctrl-C, between files. */
  signal: AbortSignal;
  onProgress: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Puts everything stage 2 needs into one private folder (password hashes are in it), verifies what was written and flushes it.
 * Returns the SHA-256 of stash.json, which travels on the ramdisk's command line and so vouches for all the rest.
 */
export async function writeStash(input: StashInput): Promise<{ stashSha256: string }> {
  const { folder, signal } = input;
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  await mkdir(folder, { mode: 0o700 });
  const files = await stashPackage(input, join(folder, "package"));
  signal.throwIfAborted();

  const preserved = join(folder, stashFiles.preserved);
  await writeFile(preserved, "", { mode: 0o600 });
  await input.writePreserved(preserved);
  signal.throwIfAborted();

  const identityText = `${JSON.stringify(input.identity, undefined, 2)}\n`;
  await writeFile(join(folder, stashFiles.identity), identityText, { mode: 0o600 });
  for (const name of Object.values(stashFiles)) files.push(await describe(join(folder, name), name));
  const stash: Stash = {
    ...input.facts,
    format: 1,
    manifestSha256: input.manifestSha256,
    files,
  };
  const stashText = padToSectors(JSON.stringify(stash, undefined, 2));
  await writeFile(join(folder, "stash.json"), stashText, { mode: 0o600 });
  for (const name of [...Object.values(stashFiles), "stash.json"]) await syncFile(join(folder, name));
  await syncFolder(folder);
  await syncFolder(dirname(folder));
  return { stashSha256: sha256Hex(stashText) };
}

/** Whole sectors, so that it can be read and hashed from the raw disk without knowing its length. */
function padToSectors(text: string): string {
  const bytes = Buffer.byteLength(text) + 1;
  return `${text.padEnd(text.length + Math.ceil(bytes / stashSectorBytes) * stashSectorBytes - bytes)}\n`;
}

async function describe(path: string, name: string): Promise<StashFile> {
  return { name, sizeBytes: await sizeOf(path), sha256: await sha256File(path) };
}

async function stashPackage(input: StashInput, folder: string): Promise<StashFile[]> {
  await mkdir(folder, { mode: 0o700 });
  const expected = new Map<string, string | undefined>(
    input.manifest.files.map(({ name, sha256 }) => [name, sha256]),
  );
  expected.set(manifestName, input.manifestSha256);
  expected.set(signatureName, undefined); // signed by nobody; stage 2 checks what it says
  const total = input.manifest.files.reduce((sum, file) => sum + file.size, 0);
  const files: StashFile[] = [];
  let done = 0;
  for (const [name, sha256] of expected) {
    input.signal.throwIfAborted();
    const path = join(folder, name);
    await linkOrCopy(join(input.packageFolder, name), path);
    await syncFile(path);
    const found = await sha256File(path, (bytes) => input.onProgress(Math.min(done + bytes, total), total));
    if (sha256 !== undefined && found !== sha256) {
      throw new StepError(
        `${path} is not what was verified before: its SHA-256 is ${found}, expected ${sha256}.`,
        {
          hint: "The file was changed meanwhile, or the disk is failing. Copy the package again.",
        },
      );
    }
    const sizeBytes = await sizeOf(path);
    files.push({ name, sizeBytes, sha256: found });
    done += sizeBytes;
  }
  await syncFolder(folder);
  return files;
}

/** A hard link takes no room; across filesystems, or where links are refused, a copy. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!hasErrorCode(error, "EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP")) throw error;
    await copyFile(from, to);
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
