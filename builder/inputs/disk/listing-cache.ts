import { join } from "node:path";
import * as z from "zod";
import type { Reporter } from "../../../format/events.ts";
import { sha256File } from "../../../agent/system/files.ts";
import { sha256Hex } from "../../../format/digest.ts";
import { mostCacheBytes } from "../../system/cache-parts.ts";
import { ContentCache } from "../../system/content-cache.ts";
import { readLines, writeLines } from "../../system/lines.ts";
import { isWhole, storeDigest } from "../../system/stored-digest.ts";
import type { RootChoice } from "./choose-root.ts";
import type { ListedEntry } from "./listed-entries.ts";

/** Raise it when a listing is made or written otherwise. */
const listingVersion = 3;
const listingName = "listing.gz";

const types = ["file", "folder", "link", "device", "fifo", "socket"] as const;

/** A line of the listing: fields of an entry, without their names. */
const entrySchema = z
  .tuple([z.string(), z.enum(types), z.number(), z.number(), z.number(), z.string(), z.number(), z.string()])
  .transform(
    ([path, type, sizeBytes, allocatedBytes, modifiedAt, inode, links, linkTarget]): ListedEntry => ({
      path,
      // One text for all entries, not one of each line.
      type: types[types.indexOf(type)]!,
      sizeBytes,
      allocatedBytes,
      modifiedAt,
      inode,
      links,
      linkTarget,
    }),
  );

const choiceSchema = z.strictObject({
  osName: z.string(),
  mounts: z.array(
    z.strictObject({
      device: z.string(),
      type: z.string(),
      target: z.string(),
      subvolume: z.string().optional(),
    }),
  ),
  ignored: z.array(z.strictObject({ device: z.string(), why: z.string() })),
});

/** What is in the root of some disks. */
export interface Listing {
  choice: RootChoice;
  entries: ListedEntry[];
}

/** Listings of disks that were read before; `identity` changes when their content does. */
export class ListingCache {
  readonly #cache: ContentCache;
  readonly #report: Reporter;

  constructor(cacheFolder: string, report: Reporter) {
    this.#cache = new ContentCache(join(cacheFolder, "listings"), mostCacheBytes.listings);
    this.#report = report;
  }

  async find(identity: string): Promise<Listing | undefined> {
    const key = keyOf(identity);
    const folder = await this.#cache.find(key);
    if (folder === undefined) return undefined;
    try {
      const file = join(folder, listingName);
      if (!(await isWhole(file))) throw new Error("other bytes than were written");
      let choice: RootChoice | undefined;
      const entries: ListedEntry[] = [];
      for await (const line of readLines(file))
        if (choice) entries.push(entrySchema.parse(line));
        else choice = choiceSchema.parse(line);
      if (!choice) throw new Error("it is empty");
      return { choice, entries };
    } catch (error) {
      // A damaged cache costs time, nothing else.
      this.#report({ kind: "detail", message: `the listing in ${folder} is not used: ${String(error)}` });
      await this.#cache.remove(key);
      return undefined;
    }
  }

  /** A cache that cannot be written must not spoil the build. */
  async keep(identity: string, listing: Listing): Promise<void> {
    const key = keyOf(identity);
    const entry = await this.#cache.create(key).catch(() => undefined);
    if (!entry) return;
    try {
      const file = join(entry.folder, listingName);
      await writeLines(file, linesOf(listing));
      await storeDigest(file, await sha256File(file));
      await entry.keep();
    } catch {
      await entry.drop();
    }
  }
}

function* linesOf({ choice, entries }: Listing): Generator {
  yield choice;
  for (const { path, type, sizeBytes, allocatedBytes, modifiedAt, inode, links, linkTarget } of entries)
    yield [path, type, sizeBytes, allocatedBytes, modifiedAt, inode, links, linkTarget];
}

function keyOf(identity: string): string {
  return sha256Hex(`${listingVersion}\n${identity}`).slice(0, 40);
}
