import { join } from "node:path";
import { userError } from "../../format/errors.ts";
import { trustedKeysSchema, type TrustedKey } from "../../format/signature.ts";
import { readTextIfExists } from "../system/files.ts";

export interface KeyRing {
  keys: readonly TrustedKey[];
  /** Where they were read: `gateway` keys were there before this package came, `package` keys came with it. */
  source: "gateway" | "package";
}

/** The gateway's own pinned keys, where it has some; else those of the package, whose fingerprint a person can compare. */
export async function readTrustedKeys(root: string, runtimeFolder: string): Promise<KeyRing> {
  const own = await readKeys(join(root, "/etc/dualroot/keys.json"));
  if (own) return { keys: own, source: "gateway" };
  const bundledPath = join(runtimeFolder, "usr/lib/dualroot/keys.json");
  const bundled = await readKeys(bundledPath);
  if (bundled) return { keys: bundled, source: "package" };
  throw badKeys(bundledPath, "is missing");
}

async function readKeys(path: string): Promise<TrustedKey[] | undefined> {
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badKeys(path, "is not JSON");
  }
  const parsed = trustedKeysSchema.safeParse(value);
  if (!parsed.success) throw badKeys(path, "is not a list of trusted keys");
  return parsed.data.keys;
}

/** A damaged list must never mean "trust whatever the package brings". */
function badKeys(path: string, what: string): Error {
  return userError(
    {
      code: "bad-trusted-keys",
      message: `The list of trusted keys ${path} ${what}.`,
      hint: "Put the right keys.json there, then start again.",
      where: path,
    },
    "untrusted",
  );
}
