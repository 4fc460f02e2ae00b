import { createHash } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Run } from "../../agent/system/run.ts";
import { sha256Hex } from "../../format/digest.ts";
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
 * ones stop paying. The x86 filter makes programs 5 % smaller, but modules 7 % larger: their calls are not linked yet.
 */
function xzOptions(segment: Segment): string[] {
  const filter = segment.name === "kernel" ? [] : ["--x86"];
  return ["--format=xz", "--check=crc32", "--threads=1", ...filter, "--lzma2=preset=6,dict=16MiB,nice=128"];
}

/** Goes into the cache key: raise it when the encoder changes. */
const cacheVersion = 1;

/** The segment's compressed file in the cache, made if it is not there. Its name is a digest of everything that decides its bytes. */
export async function cachedSegment(segment: Segment, context: SegmentContext): Promise<string> {
  const folder = join(context.cacheFolder, "segments");
  const result = join(folder, `${segment.name}-${await cacheKey(segment, context)}`);
  if (existsSync(result)) return result;
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, "new-"));
  try {
    const archive = join(scratch, "archive");
    const gzip =
      context.compression === "gzip" ? [createGzip({ level: 9, memLevel: 9, chunkSize: 1024 * 1024 })] : [];
    await pipeline([segmentStream(segment), ...gzip, createWriteStream(archive)]);
    if (context.compression === "xz") {
      await context.run("xz", [...xzOptions(segment), archive], { hint: "apt-get install xz-utils" });
      await rename(`${archive}.xz`, archive);
    }
    await rename(archive, result);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return result;
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
  const settings = context.compression === "xz" ? xzOptions(segment).join(" ") : context.compression;
  key.update(`${cacheVersion} ${settings} ${segment.modifiedAt} ${process.versions.zlib}\n`);
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
