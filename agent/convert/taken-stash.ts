import { join } from "node:path";
import * as z from "zod";
import { sha256Hex } from "../../format/digest.ts";
import { userError, type UserError } from "../../format/errors.ts";
import { identitySchema, type Identity } from "../../format/identity.ts";
import {
  stashFile,
  stashFiles,
  stashSchema,
  stashSectorBytes,
  type Stash,
  type StashFile,
} from "../../format/stash.ts";
import type { StoredFile } from "../stash/stored-file.ts";
import type { StashPlace } from "../stash/stash-place.ts";
import { readBounded, sha256File } from "../system/files.ts";

export const stashMaxBytes = 1024 * 1024;
const identityMaxBytes = 16 * 1024 * 1024;

export const memoryFolder = "/run/dualroot";
/** Small files of the package, and in ram mode all of them. */
export const packageFolder = join(memoryFolder, "package");
/** identity.json, preserved.tar, and stash.json in ram mode. */
export const stashCopy = join(memoryFolder, "stash");

/** Everything stage 2 needs from the old disk; what is not in memory is named with its ranges. */
export interface TakenStash {
  stash: Stash;
  identity: Identity;
  /** Path in memory. */
  preservedTar: string;
  /** Manifest, signature and partition table in memory. */
  packageFolder: string;
  stored: (name: string) => StoredFile;
  /** Disk mode. */
  place?: StashPlace;
}

/** identity.json and preserved.tar in memory, their digests checked. */
export async function openCopies(stash: Stash): Promise<Pick<TakenStash, "identity" | "preservedTar">> {
  const identity = entryOf(stash, stashFiles.identity);
  const identityBytes = await readBounded(join(stashCopy, identity.name), identityMaxBytes);
  if (identityBytes === undefined || sha256Hex(identityBytes) !== identity.sha256)
    throw damaged(`${identity.name} was changed`);
  const preserved = entryOf(stash, stashFiles.preserved);
  const preservedTar = join(stashCopy, preserved.name);
  if ((await sha256File(preservedTar)) !== preserved.sha256) throw damaged(`${preserved.name} was changed`);
  return { identity: parseJson(identitySchema, identityBytes, identity.name), preservedTar };
}

/** Package files copied to memory. */
export function storedInMemory(stash: Stash): (name: string) => StoredFile {
  return (name) => {
    const { sizeBytes, sha256 } = entryOf(stash, name);
    const wholeBytes = Math.ceil(sizeBytes / stashSectorBytes) * stashSectorBytes;
    const folder = name === stashFiles.preserved || name === stashFiles.identity ? stashCopy : packageFolder;
    const ranges = [{ startBytes: 0, sizeBytes: wholeBytes }];
    return { name, path: join(folder, name), ranges, sizeBytes, sha256 };
  };
}

export function entryOf(stash: Stash, name: string): StashFile {
  const found = stashFile(stash, name);
  if (!found) throw damaged(`stash.json lists no ${name}`);
  return found;
}

/** stash.json; its digest is the caller's to check. */
export function parseStash(bytes: Uint8Array): Stash {
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

export function damaged(what: string): UserError {
  return userError(
    {
      code: "stash-damaged",
      message: `The stash on the old system cannot be used: ${what}.`,
      hint: "Start the conversion again with upgrade.sh; if it stays like this, the old system's disk is failing.",
    },
    "untrusted",
  );
}
