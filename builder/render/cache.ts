import { formatSize } from "../../format/sizes.ts";
import type { CacheUse } from "../system/cache-use.ts";
import { table } from "./table.ts";

export function cacheLines(cache: {
  folder: string;
  cleared: boolean;
  parts: readonly CacheUse[];
}): string[] {
  const bytes = cache.parts.reduce((sum, part) => sum + part.bytes, 0);
  return [
    `${cache.folder}: ${cache.cleared ? "removed " : ""}${formatSize(bytes)}`,
    ...table(
      cache.parts.map((part) => [
        part.name,
        formatSize(part.bytes),
        part.mostBytes === undefined ? "" : `of ${formatSize(part.mostBytes)}`,
        `${part.entries} ${part.entries === 1 ? "entry" : "entries"}`,
        part.usedAt === undefined ? "" : `used ${part.usedAt.slice(0, 16).replace("T", " ")}`,
        part.what,
      ]),
      { indent: "  ", right: [1, 3] },
    ),
  ];
}
