import { createReadStream } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "../../../format/digest.ts";
import type { Reporter } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import { CacheCopy } from "../../system/cache-copy.ts";
import { mostCacheBytes } from "../../system/cache-parts.ts";
import { ContentCache } from "../../system/content-cache.ts";
import { isWhole, storeDigest } from "../../system/stored-digest.ts";

/** Raise it when the guest packs otherwise. */
const tarVersion = 1;
const archiveName = "archive.tar";

/** Where some files of a root filesystem come from: a tar of them, in this order, with its end. */
export type TarOf = (paths: readonly RawPath[]) => AsyncIterable<Uint8Array>;

export interface RememberedTarsInputs {
  cacheFolder: string;
  /** Of the disks; another one when their content is. */
  identity: () => string;
  tar: TarOf;
  report: Reporter;
}

/**
 * What the survey reads of a disk image (settings, kernels, lists), kept between builds: without it each of them would start the
 * helper. Not for whole root filesystems, which are kept packed.
 */
export function rememberedTars({ cacheFolder, identity, tar, report }: RememberedTarsInputs): TarOf {
  const cache = new ContentCache(join(cacheFolder, "fetched"), mostCacheBytes.fetched);
  const before = identity();
  return async function* (paths) {
    const key = sha256Hex([tarVersion, before, ...paths].join("\0")).slice(0, 40);
    const folder = await cache.find(key);
    if (folder !== undefined) {
      const archive = join(folder, archiveName);
      if (await isWhole(archive)) {
        yield* createReadStream(archive, { highWaterMark: MiB }) as AsyncIterable<Buffer>;
        return;
      }
      report({ kind: "detail", message: `${archive} is not used: other bytes than were written` });
      await cache.remove(key);
    }
    const entry = await cache.create(key).catch(() => undefined);
    const copy = entry && (await CacheCopy.open(join(entry.folder, archiveName)));
    try {
      for await (const chunk of tar(paths)) {
        await copy?.write(chunk);
        yield chunk;
      }
      const sha256 = await copy?.finish();
      if (entry && sha256 !== undefined && identity() === before)
        await storeDigest(join(entry.folder, archiveName), sha256).then(entry.keep, () => {});
    } finally {
      await copy?.close();
      await entry?.drop();
    }
  };
}
