import { createHash, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import * as z from "zod";

/** Domain separation: a signature over a manifest can never be one over anything else. */
const manifestContext = "dualroot manifest signature v1";

export const keyRoles = ["release", "dev"] as const;
export type KeyRole = (typeof keyRoles)[number];

/** A pinned public key. `keyId` is the first 16 hex digits of SHA-256 over the 32 raw key bytes. */
export const trustedKeySchema = z.strictObject({
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  role: z.enum(keyRoles),
  /** Raw Ed25519 public key, base64. */
  publicKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
});
export const trustedKeysSchema = z.strictObject({
  format: z.literal(1),
  keys: z.array(trustedKeySchema).min(1).max(32),
});

/** manifest.json.sig */
export const signatureSchema = z.strictObject({
  format: z.literal(1),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
});

export type TrustedKey = z.infer<typeof trustedKeySchema>;
export type TrustedKeys = z.infer<typeof trustedKeysSchema>;
export type Signature = z.infer<typeof signatureSchema>;

/** Raw Ed25519 keys travel in SubjectPublicKeyInfo; this is its fixed 12-byte head (RFC 8410). */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(spkiHead.length);
}

export function keyIdOf(rawKey: Uint8Array): string {
  return createHash("sha256").update(rawKey).digest("hex").slice(0, 16);
}

export function signManifest(manifestBytes: Uint8Array, privateKey: KeyObject): Signature {
  return signBytes(manifestContext, manifestBytes, privateKey);
}

/** `context`: words that no other kind of signed file has, without NUL. */
export function signBytes(context: string, bytes: Uint8Array, privateKey: KeyObject): Signature {
  return {
    format: 1,
    keyId: keyIdOf(rawPublicKey(createPublicKey(privateKey))),
    signature: sign(null, inContext(context, bytes), privateKey).toString("base64"),
  };
}

function inContext(context: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${context}\0`, "utf8"), bytes]);
}

export type SignatureVerdict =
  | { trusted: true; key: TrustedKey }
  | { trusted: false; reason: "unknown-key" | "bad-signature" };

export function verifyManifest(
  manifestBytes: Uint8Array,
  signature: Signature,
  keys: readonly TrustedKey[],
): SignatureVerdict {
  return verifyBytes(manifestContext, manifestBytes, signature, keys);
}

/** Decides by pinned keys alone; no clock, no certificate. */
export function verifyBytes(
  context: string,
  bytes: Uint8Array,
  signature: Signature,
  keys: readonly TrustedKey[],
): SignatureVerdict {
  const key = keys.find((candidate) => candidate.keyId === signature.keyId);
  if (!key) return { trusted: false, reason: "unknown-key" };
  const publicKey = createPublicKey({
    key: Buffer.concat([spkiHead, Buffer.from(key.publicKey, "base64")]),
    format: "der",
    type: "spki",
  });
  const good = verify(null, inContext(context, bytes), publicKey, Buffer.from(signature.signature, "base64"));
  return good ? { trusted: true, key } : { trusted: false, reason: "bad-signature" };
}
