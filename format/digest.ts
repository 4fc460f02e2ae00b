import { createHash } from "node:crypto";

/** SHA-256 of bytes in memory, lower-case hex. Files are hashed by system/, streaming. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
