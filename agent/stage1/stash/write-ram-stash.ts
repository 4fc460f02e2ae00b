import { copyFile, link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256Hex } from "../../../format/digest.ts";
import { hasErrorCode } from "../../../format/errors.ts";
import { stashFiles, type Stash, type StashFile } from "../../../format/stash.ts";
import { sha256File, syncPath } from "../../system/files.ts";
import type { StashInput, WrittenStash } from "./stash-input.ts";
import { packageSources, refuseChanged } from "./stash-sources.ts";
import { renderStash } from "./stash-text.ts";

/**
 * Puts everything stage 2 needs into one private folder (password hashes are in it), verifies what was written and flushes it.
 * Returns the SHA-256 of stash.json, which travels on the ramdisk's command line and so vouches for all the rest.
 */
export async function writeRamStash(input: StashInput): Promise<WrittenStash> {
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
  const stashText = renderStash(stash);
  await writeFile(join(folder, "stash.json"), stashText, { mode: 0o600 });
  for (const name of [...Object.values(stashFiles), "stash.json"]) await syncPath(join(folder, name));
  await syncPath(folder);
  await syncPath(dirname(folder));
  return { stashSha256: sha256Hex(stashText) };
}

async function describe(path: string, name: string): Promise<StashFile> {
  return { name, sizeBytes: await sizeOf(path), sha256: await sha256File(path) };
}

async function stashPackage(input: StashInput, folder: string): Promise<StashFile[]> {
  await mkdir(folder, { mode: 0o700 });
  const sources = await packageSources(input);
  const total = sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const files: StashFile[] = [];
  let done = 0;
  for (const source of sources) {
    input.signal.throwIfAborted();
    const path = join(folder, source.name);
    await linkOrCopy(join(input.packageFolder, source.name), path);
    await syncPath(path);
    const found = await sha256File(path, (bytes) => input.onProgress(Math.min(done + bytes, total), total));
    refuseChanged(source, found);
    const sizeBytes = await sizeOf(path);
    files.push({ name: source.name, sizeBytes, sha256: found });
    done += sizeBytes;
  }
  await syncPath(folder);
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
