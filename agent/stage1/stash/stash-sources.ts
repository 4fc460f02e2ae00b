import { stat } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../../format/errors.ts";
import { manifestName, signatureName, type Manifest } from "../../../format/manifest.ts";
import { stashFiles } from "../../../format/stash.ts";
import { readStored } from "../../stash/stored-file.ts";

/** Something to be written into the stash. */
export interface StashSource {
  name: string;
  sizeBytes: number;
  /** What was verified before; absent for what stage 1 makes itself. */
  sha256?: string;
  read: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The package's files in the manifest's order, manifest and signature. */
export async function packageSources(options: {
  packageFolder: string;
  manifest: Manifest;
  manifestSha256: string;
}): Promise<StashSource[]> {
  const { packageFolder, manifest, manifestSha256 } = options;
  const signed = manifest.files.map(({ name, size, sha256 }) =>
    fileSource(name, join(packageFolder, name), size, sha256),
  );
  const manifestPath = join(packageFolder, manifestName);
  const signaturePath = join(packageFolder, signatureName);
  return [
    ...signed,
    fileSource(manifestName, manifestPath, await sizeOf(manifestPath), manifestSha256),
    // Signed by nobody; stage 2 checks what it says.
    fileSource(signatureName, signaturePath, await sizeOf(signaturePath)),
  ];
}

/** What stage 1 itself has made of the old system. */
export async function ownSources(preservedTar: string, identityText: string): Promise<StashSource[]> {
  const identity = Buffer.from(identityText);
  return [
    fileSource(stashFiles.preserved, preservedTar, await sizeOf(preservedTar)),
    { name: stashFiles.identity, sizeBytes: identity.length, read: () => [identity] },
  ];
}

/** Throws when what was read is not what was verified. */
export function refuseChanged({ name, sha256 }: StashSource, found: string): void {
  if (sha256 === undefined || found === sha256) return;
  throw new StepError(
    `${name} is not what was verified before: its SHA-256 is ${found}, expected ${sha256}.`,
    { hint: "The file was changed meanwhile, or the disk is failing. Copy the package again." },
  );
}

function fileSource(name: string, path: string, sizeBytes: number, sha256?: string): StashSource {
  const file = { name, path, ranges: [{ startBytes: 0, sizeBytes }], sizeBytes, sha256: sha256 ?? "" };
  return { name, sizeBytes, ...(sha256 === undefined ? {} : { sha256 }), read: () => readStored(file) };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}
