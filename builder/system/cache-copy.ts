import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";

/** What goes by, written into the cache as well. A cache that cannot be written must not spoil the build: the copy is given up. */
export class CacheCopy {
  #file: FileHandle | undefined;
  readonly #hash = createHash("sha256");

  static async open(path: string): Promise<CacheCopy> {
    const copy = new CacheCopy();
    copy.#file = await open(path, "wx").catch(() => undefined);
    return copy;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    await this.#file?.writeFile(chunk).catch(async () => await this.close());
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  /** SHA-256 of the whole; undefined when the copy was given up. */
  async finish(): Promise<string | undefined> {
    if (!this.#file) return undefined;
    await this.close();
    return this.#hash.digest("hex");
  }
}
