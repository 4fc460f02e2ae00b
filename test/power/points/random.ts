import { createHash } from "node:crypto";

/** Numbers from 0 up to 1 that depend on the words alone: the same seed, the same points, on every machine. */
export function seededRandom(...words: readonly (string | number)[]): () => number {
  const key = JSON.stringify(words);
  let block = Buffer.alloc(0);
  let counter = 0;
  return () => {
    if (block.length < 4) block = createHash("sha256").update(`${key} ${counter++}`).digest();
    const value = block.readUInt32LE(0);
    block = block.subarray(4);
    return value / 2 ** 32;
  };
}
