import { stashSectorBytes, type Stash } from "../../../format/stash.ts";

/** stash.json, padded to whole sectors: so it can be read and hashed from the raw disk without knowing its length. */
export function renderStash(stash: Stash): string {
  const text = JSON.stringify(stash);
  const bytes = Buffer.byteLength(text) + 1;
  return `${text.padEnd(text.length + Math.ceil(bytes / stashSectorBytes) * stashSectorBytes - bytes)}\n`;
}
