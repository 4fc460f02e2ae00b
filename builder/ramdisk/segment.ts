import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sha256File } from "../../agent/system/files.ts";
import type { Run } from "../../agent/system/run.ts";
import { sha256Hex } from "../../format/digest.ts";
import { mostCacheBytes } from "../system/cache-parts.ts";
import { ContentCache } from "../system/content-cache.ts";
import { isWhole, storeDigest } from "../system/stored-digest.ts";
import { contentSize, cpioArchive, sortedByPath, type CpioEntry } from "./cpio.ts";
import type { FileDigests } from "./file-digests.ts";

export type Compression = "none" | "gzip" | "xz";

/** One cpio archive of the image; compressed by itself, so that it can be kept when others change. */
export interface Segment {
  name: "node" | "tools" | "agent" | "kernel";
  entries: CpioEntry[];
  /** Everybody's time, seconds. What does not change from release to release has 0, so that its compressed form can stay. */
  modifiedAt: number;
}

export interface SegmentContext {
  cacheFolder: string;
  digests: FileDigests;
  run: Run;
  compression: Compression;
}

/**
 * CRC32 is the only check the kernel's xz knows. The kernel allocates the dictionary while it unpacks: 16 MiB is where larger
 * ones stop paying. Blocks are for several cores; one thread would write them without their sizes: other bytes.
 * The x86 filter makes programs 5 % smaller, but modules 7 % larger: their calls are not linked yet. Modules are mostly
 * relocations, where hash chains find in half the time nearly what binary trees find.
 */
function xzCommand(segment: Segment): string[] {
  const threads = Math.max(2, availableParallelism());
  const settings = ["--format=xz", "--check=crc32", `--threads=${threads}`];
  return segment.name === "kernel"
    ? ["xz", ...settings, "--block-size=16MiB", "--lzma2=preset=6,dict=16MiB,mf=hc4,nice=64,depth=12"]
    : ["xz", ...settings, "--block-size=64MiB", "--x86", "--lzma2=preset=6,dict=16MiB"];
}

/** libdeflate is 5 % smaller than gzip at its best, in half the time; level 12 adds a quarter of that for 0.05 %. Its header has neither name nor time. */
const gzipCommand = ["libdeflate-gzip", "-11"];

/** Goes into the cache key: raise it when the encoder changes. */
const cacheVersion = 3;
const archiveName = "archive";

/** The segment's compressed file in the cache, made if it is not there. Its name is a digest of everything that decides its bytes. */
export async function cachedSegment(segment: Segment, context: SegmentContext): Promise<string> {
  const cache = new ContentCache(join(context.cacheFolder, "segments"), mostCacheBytes.segments);
  const name = `${segment.name}-${await cacheKey(segment, context)}`;
  const found = await cache.find(name);
  if (found !== undefined) {
    if (await isWhole(join(found, archiveName))) return join(found, archiveName);
    await cache.remove(name);
  }
  const entry = await cache.create(name);
  try {
    const archive = join(entry.folder, archiveName);
    await pipeline(segmentStream(segment), createWriteStream(archive));
    if (context.compression === "xz") await compress(archive, ".xz", xzCommand(segment), "xz-utils", context);
    if (context.compression === "gzip")
      await compress(archive, ".gz", gzipCommand, "libdeflate-tools", context);
    await storeDigest(archive, await sha256File(archive));
    return join(await entry.keep(), archiveName);
  } finally {
    await entry.drop();
  }
}

/** Replaces the file by what the command makes of it. */
async function compress(
  file: string,
  suffix: string,
  command: readonly string[],
  packageName: string,
  { run }: SegmentContext,
): Promise<void> {
  const [program, ...options] = command;
  await run(program!, [...options, file], { hint: `apt-get install ${packageName}` });
  await rename(`${file}${suffix}`, file);
}

/** The segment's archive, uncompressed. */
export function segmentStream(segment: Segment): Readable {
  return Readable.from(cpioArchive(segment.entries, segment.modifiedAt), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
}

export function unpackedSize(segment: Segment): number {
  return segment.entries.reduce((sum, entry) => sum + contentSize(entry), 0);
}

async function cacheKey(segment: Segment, context: SegmentContext): Promise<string> {
  const key = createHash("sha256");
  const commands = { none: [], gzip: gzipCommand, xz: xzCommand(segment) };
  // How many threads there are changes nothing.
  const settings = commands[context.compression].filter((word) => !word.startsWith("--threads="));
  key.update(`${cacheVersion} ${settings.join(" ")} ${segment.modifiedAt}\n`);
  for (const entry of sortedByPath(segment.entries)) {
    if (entry.type !== "file") key.update(`${JSON.stringify(entry)}\n`);
    else {
      const { source, ...rest } = entry;
      const content = "bytes" in source ? sha256Hex(source.bytes) : await context.digests.digest(source.path);
      key.update(`${JSON.stringify(rest)} ${content}\n`);
    }
  }
  return key.digest("hex").slice(0, 40);
}
