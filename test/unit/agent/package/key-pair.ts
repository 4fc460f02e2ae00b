import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { keyIdOf, rawPublicKey, type KeyRole, type TrustedKey } from "../../../../format/signature.ts";

export function keyPair(role: KeyRole): { privateKey: KeyObject; trusted: TrustedKey } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = rawPublicKey(publicKey);
  return { privateKey, trusted: { keyId: keyIdOf(raw), role, publicKey: raw.toString("base64") } };
}
