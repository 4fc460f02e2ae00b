import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";
import { sha256Hex } from "../../../format/digest.ts";
import { stampOf } from "../../helper/input-stamps.ts";
import { mostCacheBytes } from "../../system/cache-parts.ts";
import { ContentCache } from "../../system/content-cache.ts";
import { readOva, type OvaDisk } from "./read-ova.ts";

/** Raise it when an OVA is read or verified otherwise. */
const ovaVersion = 2;
const fileName = "disks.json";

const disksSchema = z.array(
  z.strictObject({
    name: z.string(),
    window: z.strictObject({ offset: z.number().int().min(0), sizeBytes: z.number().int().min(0) }),
  }),
);

/** An OVA that was read and verified once is not read again as long as device, inode, size and times are the same. */
export async function rememberedOva(path: string, cacheFolder: string): Promise<OvaDisk[]> {
  const cache = new ContentCache(join(cacheFolder, "ovas"), mostCacheBytes.ovas);
  const key = sha256Hex(`${ovaVersion}\n${resolve(path)}\n${stampOf(path)}`).slice(0, 40);
  const known = await cache.find(key);
  if (known !== undefined) {
    try {
      return disksSchema.parse(JSON.parse(await readFile(join(known, fileName), "utf8")));
    } catch {
      // A damaged cache costs time, nothing else.
      await cache.remove(key);
    }
  }
  const disks = await readOva(path);
  const entry = await cache.create(key).catch(() => undefined);
  if (entry)
    await writeFile(join(entry.folder, fileName), JSON.stringify(disks)).then(entry.keep, entry.drop);
  return disks;
}
