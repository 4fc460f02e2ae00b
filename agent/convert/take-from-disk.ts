import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { manifestName, packageFiles, signatureName } from "../../format/manifest.ts";
import { stashFiles } from "../../format/stash.ts";
import type { Reporter } from "../../format/events.ts";
import { copyStored, hashStored } from "../stash/stored-file.ts";
import { storedOnDisk } from "../stash/stored-on-disk.ts";
import type { StashOnDisk } from "./find-stash-on-disk.ts";
import { refuseTooLittleMemory } from "./take-to-memory.ts";
import { damaged, entryOf, openCopies, packageFolder, stashCopy, type TakenStash } from "./taken-stash.ts";

/** Files that are used where they lie; hashed there before anything is written. */
const bigFiles: readonly string[] = [packageFiles.kernel, packageFiles.ramdisk, packageFiles.rootfs];

/** Disk mode: the small files go to memory, digests checked on the way; the big ones are named by their ranges. */
export async function takeFromDisk({ stash, place }: StashOnDisk): Promise<TakenStash> {
  const stored = storedOnDisk(stash, place.disk);
  await refuseTooLittleMemory(entryOf(stash, stashFiles.preserved).sizeBytes);
  await mkdir(packageFolder, { recursive: true });
  await mkdir(stashCopy, { recursive: true, mode: 0o700 });
  const small = Object.values(packageFiles).filter((name) => !bigFiles.includes(name));
  for (const name of [manifestName, signatureName, ...small])
    await copyChecked(name, join(packageFolder, name));
  for (const name of Object.values(stashFiles)) await copyChecked(name, join(stashCopy, name));
  if (entryOf(stash, manifestName).sha256 !== stash.manifestSha256)
    throw damaged(`${manifestName} is not the one stage 1 has checked`);
  return { stash, ...(await openCopies(stash)), packageFolder, stored, place };

  async function copyChecked(name: string, to: string): Promise<void> {
    const file = stored(name);
    if ((await copyStored(file, to)) !== file.sha256) throw damaged(`${name} was changed`);
  }
}

/** SHA-256 of the big files as they lie on the disk, by name. */
export async function measureOnDisk(
  { stored }: Pick<TakenStash, "stored">,
  report: Reporter,
): Promise<Map<string, string>> {
  const files = bigFiles.map((name) => stored(name));
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const measured = new Map<string, string>();
  let before = 0;
  for (const file of files) {
    const onBytes = (done: number): void =>
      report({ kind: "progress", step: "verify-package", done: before + done, total, unit: "bytes" });
    measured.set(file.name, await hashStored(file, onBytes));
    before += file.sizeBytes;
  }
  return measured;
}

/** What stash.json says they are: for tests that leave out hashing them. */
export function claimedDigests({ stored }: Pick<TakenStash, "stored">): Map<string, string> {
  return new Map(bigFiles.map((name) => [name, stored(name).sha256]));
}
