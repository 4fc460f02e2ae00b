import { createHash } from "node:crypto";

/**
 * A UUID in RFC 9562 form (version 8, "custom") from SHA-256 of seed and purpose: the same stash gives the same target,
 * so stage 2 may be started again and converges. Lower-case.
 */
export function deriveUuid(seed: string, purpose: string): string {
  const bytes = digest(seed, purpose).subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const lvmCharacters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** An LVM identifier: 32 characters in groups of 6-4-4-4-4-4-6, as `pvcreate --uuid` takes it. */
export function deriveLvmUuid(seed: string, purpose: string): string {
  const text = Array.from(digest(seed, purpose), (byte) => lvmCharacters[byte % lvmCharacters.length]).join(
    "",
  );
  const cuts = [0, 6, 10, 14, 18, 22, 26, 32];
  return cuts
    .slice(1)
    .map((end, index) => text.slice(cuts[index], end))
    .join("-");
}

function digest(seed: string, purpose: string): Buffer {
  return createHash("sha256").update(`dualroot\0${seed}\0${purpose}`).digest();
}
