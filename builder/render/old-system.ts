import type { KeepOldSystem } from "../../format/manifest.ts";

const sentences: Record<KeepOldSystem, string> = {
  auto: "kept as slot B where there is room",
  require: "kept as slot B, or the gateway refuses",
  never: "not kept",
};

export function describeKeeping(word: KeepOldSystem): string {
  return sentences[word];
}
