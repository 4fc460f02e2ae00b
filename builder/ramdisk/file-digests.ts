import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { sha256File } from "../../agent/system/files.ts";

const indexSchema = z.record(
  z.string(),
  z.strictObject({ stamp: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
);

/**
 * SHA-256 of build host files, remembered between builds as git's index does: a file whose device, inode, size and times are
 * the same has the same content. ctime cannot be set back, so a changed file is noticed.
 */
export class FileDigests {
  readonly #indexFile: string;
  readonly #known: Map<string, { stamp: string; sha256: string }>;
  #changed = false;

  constructor(indexFile: string) {
    this.#indexFile = indexFile;
    this.#known = new Map(Object.entries(readIndex(indexFile)));
  }

  async digest(path: string): Promise<string> {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    const stamp = [dev, ino, size, mtimeNs, ctimeNs].join(" ");
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return known.sha256;
    const sha256 = await sha256File(path);
    this.#known.set(path, { stamp, sha256 });
    this.#changed = true;
    return sha256;
  }

  async save(): Promise<void> {
    if (!this.#changed) return;
    // Files of temporary folders of former builds would pile up.
    for (const path of this.#known.keys()) if (!existsSync(path)) this.#known.delete(path);
    await mkdir(dirname(this.#indexFile), { recursive: true });
    // A name of its own: two builds may save at the same moment. The last one counts.
    const scratch = `${this.#indexFile}.${randomUUID()}`;
    await writeFile(scratch, JSON.stringify(Object.fromEntries(this.#known)));
    await rename(scratch, this.#indexFile);
    this.#changed = false;
  }
}

/** A damaged index costs time, nothing else. */
function readIndex(path: string): z.infer<typeof indexSchema> {
  try {
    return indexSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return {};
  }
}
