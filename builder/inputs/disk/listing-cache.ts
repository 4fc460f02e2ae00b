import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import type { Reporter } from "../../../format/events.ts";
import { sha256Hex } from "../../../format/digest.ts";
import { mostCacheBytes } from "../../system/cache-parts.ts";
import { ContentCache } from "../../system/content-cache.ts";
import type { RootChoice } from "./choose-root.ts";
import type { ListedEntry } from "./listed-entries.ts";

/** Raise it when a listing is made or written otherwise. */
const listingVersion = 1;
const [listingName, digestName] = ["listing.json.gz", "sha256"];

const entrySchema = z.strictObject({
  path: z.string(),
  type: z.enum(["file", "folder", "link", "device", "fifo", "socket"]),
  sizeBytes: z.number(),
  allocatedBytes: z.number(),
  modifiedAt: z.number(),
  inode: z.string(),
  links: z.number(),
  linkTarget: z.string(),
});

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

const listingSchema = z.strictObject({ choice: choiceSchema, entries: z.array(entrySchema) });

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
      const bytes = await readFile(join(folder, listingName));
      if (sha256Hex(bytes) !== (await readFile(join(folder, digestName), "utf8")))
        throw new Error("other bytes than were written");
      return listingSchema.parse(JSON.parse((await promisify(gunzip)(bytes)).toString()));
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
      const bytes = await promisify(gzip)(JSON.stringify(listing), { level: 1 });
      await writeFile(join(entry.folder, listingName), bytes);
      await writeFile(join(entry.folder, digestName), sha256Hex(bytes));
      await entry.keep();
    } catch {
      await entry.drop();
    }
  }
}

function keyOf(identity: string): string {
  return sha256Hex(`${listingVersion}\n${identity}`).slice(0, 40);
}
