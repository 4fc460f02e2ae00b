import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { sha256File } from "../../agent/system/files.ts";
import { sha256Hex } from "../../format/digest.ts";
import { hasErrorCode } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import type { RootSource } from "../inputs/root-source.ts";
import { CacheCopy } from "../system/cache-copy.ts";
import { mostCacheBytes } from "../system/cache-parts.ts";
import { compressXz, xzSettingsText, type XzSettings } from "../system/compress-xz.ts";
import { ContentCache } from "../system/content-cache.ts";
import { readLines, writeLines } from "../system/lines.ts";
import { writeChunks } from "../system/write-chunks.ts";
import { toolVersions } from "../system/tool-versions.ts";
import type { RawPath } from "./raw-path.ts";
import type { Entry } from "./walk.ts";

/** Raise it when this code packs otherwise. */
const cacheVersion = 4;
const [archiveName, factsName] = ["body.tar.xz", "facts.gz"];

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
/** First the archive's own, then a line for each file in it. */
const digestSchema = z.tuple([z.string(), sha256Schema]);

export interface BodyInputs {
  source: RootSource;
  /** What is packed. */
  kept: readonly Entry[];
  sourceDateEpoch: number;
  compression: XzSettings;
  cacheFolder: string;
  totalBytes: number;
  progress: (done: number) => void;
  report: Reporter;
}

/** The source's part of rootfs.tar.xz. */
export interface Body {
  digests: ReadonlyMap<RawPath, string>;
  fromCache: boolean;
  /** Its xz stream, once. */
  chunks: () => AsyncIterable<Uint8Array>;
  /** Once all chunks are written: puts it into the cache. */
  keep: () => Promise<void>;
  close: () => Promise<void>;
}

/** The packed source out of the cache, or packed now and on the way into the cache. */
export async function cachedBody(inputs: BodyInputs): Promise<Body> {
  const cache = new ContentCache(join(inputs.cacheFolder, "rootfs"), mostCacheBytes.rootfs);
  const key = sha256Hex(
    [
      cacheVersion,
      xzSettingsText(inputs.compression),
      inputs.sourceDateEpoch,
      await toolVersions(["tar", "xz"]),
      await inputs.source.stamp(inputs.kept),
    ].join("\n"),
  ).slice(0, 40);
  return (await storedBody(cache, key, inputs)) ?? (await packedBody(cache, key, inputs));
}

async function storedBody(
  cache: ContentCache,
  key: string,
  { report, progress, totalBytes }: BodyInputs,
): Promise<Body | undefined> {
  const folder = await cache.find(key);
  if (folder === undefined) return undefined;
  const archive = join(folder, archiveName);
  try {
    const { sha256, digests } = await readFacts(join(folder, factsName));
    if ((await sha256File(archive)) !== sha256) throw new Error("other bytes than were packed");
    report({ kind: "detail", message: `the packed root filesystem is ${archive}` });
    progress(2 * totalBytes);
    return {
      digests,
      fromCache: true,
      chunks: () => createReadStream(archive, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>,
      keep: async () => {},
      close: async () => {},
    };
  } catch (error) {
    // A damaged cache costs time, nothing else.
    report({ kind: "detail", message: `the cached ${archive} is not used: ${String(error)}` });
    await cache.remove(key);
    return undefined;
  }
}

async function packedBody(cache: ContentCache, key: string, inputs: BodyInputs): Promise<Body> {
  const entry = await cache.create(key).catch(() => undefined);
  const close = async (): Promise<void> => await entry?.drop();
  try {
    return inputs.source.archiveOnce
      ? await packedAtOnce(inputs.source.archiveOnce, entry, inputs, close)
      : await packedOnTheWay(entry, inputs, close);
  } catch (error) {
    await close();
    throw error;
  }
}

type NewEntry = Awaited<ReturnType<ContentCache["create"]>> | undefined;

/** The digests of all files first, then the archive, which is written into the cache as it goes by. */
async function packedOnTheWay(
  entry: NewEntry,
  inputs: BodyInputs,
  close: () => Promise<void>,
): Promise<Body> {
  const { source, kept, progress } = inputs;
  const files = kept.filter(({ type }) => type === "file");
  const digests = await source.digests(files, progress);
  const copy = entry && (await CacheCopy.open(join(entry.folder, archiveName)));
  return {
    digests,
    fromCache: false,
    chunks: async function* () {
      const archive = counted(source.archive(kept, inputs), inputs);
      for await (const chunk of compressXz(archive, inputs.compression)) {
        await copy?.write(chunk);
        yield chunk;
      }
    },
    keep: async () => {
      const sha256 = await copy?.finish();
      if (entry && sha256 !== undefined) await keepEntry(entry, { sha256, digests });
    },
    close: async () => {
      await copy?.close();
      await close();
    },
  };
}

/** Archive and digests in one reading of the source: the archive lies in the cache, or beside the stand-ins, before it is used. */
async function packedAtOnce(
  archiveOnce: NonNullable<RootSource["archiveOnce"]>,
  entry: NewEntry,
  inputs: BodyInputs,
  close: () => Promise<void>,
): Promise<Body> {
  const file = join(entry?.folder ?? dirname(inputs.source.root), archiveName);
  const { chunks, digests } = archiveOnce(inputs.kept, inputs);
  let sha256: string;
  try {
    ({ sha256 } = await writeChunks(file, [compressXz(counted(chunks, inputs), inputs.compression)]));
  } catch (error) {
    if (!entry || !isFull(error)) throw error;
    // A cache without room must not spoil the build.
    inputs.report({ kind: "detail", message: `packed again, without the cache: ${String(error)}` });
    await entry.drop();
    return await packedAtOnce(archiveOnce, undefined, inputs, close);
  }
  return {
    digests,
    fromCache: false,
    chunks: () => createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>,
    keep: async () => {
      if (entry) await keepEntry(entry, { sha256, digests });
    },
    close,
  };
}

function isFull(error: unknown): boolean {
  const full = ["ENOSPC", "EDQUOT"];
  return hasErrorCode(error, ...full) || (error instanceof Error && hasErrorCode(error.cause, ...full));
}

interface Facts {
  sha256: string;
  digests: ReadonlyMap<RawPath, string>;
}

/** Without its facts an entry is none: only whole ones are kept. */
async function keepEntry(entry: NonNullable<NewEntry>, { sha256, digests }: Facts): Promise<void> {
  const lines = function* (): Generator {
    yield sha256;
    yield* digests;
  };
  await writeLines(join(entry.folder, factsName), lines()).then(entry.keep, () => {});
}

async function readFacts(path: string): Promise<Facts> {
  let sha256: string | undefined;
  const digests = new Map<RawPath, string>();
  for await (const line of readLines(path))
    if (sha256 === undefined) sha256 = sha256Schema.parse(line);
    else digests.set(...digestSchema.parse(line));
  if (sha256 === undefined) throw new Error("it has no facts");
  return { sha256, digests };
}

async function* counted(
  archive: AsyncIterable<Uint8Array>,
  { totalBytes, progress }: BodyInputs,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of archive) {
    bytes += chunk.length;
    progress(totalBytes + bytes);
    yield chunk;
  }
}
