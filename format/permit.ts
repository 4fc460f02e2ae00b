import type { KeyObject } from "node:crypto";
import * as z from "zod";
import { signBytes, verifyBytes, type Signature, type TrustedKey } from "./signature.ts";

/** Beside the manifest in the package's folder; not among the files that it lists, for a permit is given later. */
export const permitName = "permit.json";
export const permitSignatureName = "permit.json.sig";

/** Upper bound for reading permit.json from anywhere, bytes. */
export const permitMaxBytes = 4096;

/** A signature over a permit can never be one over a manifest, nor the other way round. */
const context = "dualroot permit signature v1";

/** permit.json, format 1: leave to install one release below the anti-rollback floor. Every byte of it is signed. */
export const permitSchema = z.strictObject({
  format: z.literal(1),
  /** Of the exact bytes of manifest.json: this one package and no other. */
  manifestSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Name and version, for people; nothing is decided by it. */
  release: z.string().max(250),
});

export type Permit = z.infer<typeof permitSchema>;

export function encodePermit(permit: Permit): Buffer {
  return Buffer.from(`${JSON.stringify(permitSchema.parse(permit), null, 2)}\n`, "utf8");
}

export function signPermit(permitBytes: Uint8Array, privateKey: KeyObject): Signature {
  return signBytes(context, permitBytes, privateKey);
}

export type PermitVerdict =
  | { trusted: true; key: TrustedKey }
  | { trusted: false; reason: "unknown-key" | "bad-signature" | "wrong-role" };

/** A development key may only where no release key is pinned at all. */
export function verifyPermit(
  permitBytes: Uint8Array,
  signature: Signature,
  keys: readonly TrustedKey[],
): PermitVerdict {
  const verdict = verifyBytes(context, permitBytes, signature, keys);
  if (!verdict.trusted || verdict.key.role === "release") return verdict;
  const hasReleaseKey = keys.some(({ role }) => role === "release");
  return hasReleaseKey ? { trusted: false, reason: "wrong-role" } : verdict;
}
