import type { ByteRange } from "../plan/step.ts";

/** Where stash.json lies in disk mode, and how to know it. */
export interface StashPlace {
  /** Device path of the whole disk. */
  disk: string;
  range: ByteRange;
  /** SHA-256 of the whole range. */
  sha256: string;
}
