import type { FileHandle } from "node:fs/promises";
import type { ByteRange } from "../../../agent/plan/step.ts";

/** What the writes since the last flush have replaced: until then a power cut may undo any of them. */
export class VolatileCache {
  readonly #file: FileHandle;
  #replaced: { offset: number; bytes: Buffer }[] = [];

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Before each write. */
  async remember(offset: number, length: number): Promise<void> {
    this.#replaced.push({ offset, bytes: await this.#read(offset, length) });
  }

  flushed(): void {
    this.#replaced = [];
  }

  /** The power is gone: of the writes in flight only those to `kept` have arrived. Returns the others. */
  async loseBut(kept: ByteRange): Promise<ByteRange[]> {
    const arrived = await this.#read(kept.startBytes, kept.sizeBytes);
    for (const { offset, bytes } of this.#replaced.toReversed())
      await this.#file.write(bytes, 0, bytes.length, offset);
    await this.#file.write(arrived, 0, arrived.length, kept.startBytes);
    const lost = this.#replaced.map(({ offset, bytes }) => ({ startBytes: offset, sizeBytes: bytes.length }));
    this.#replaced = [];
    return lost;
  }

  async #read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    await this.#file.read(bytes, 0, length, offset);
    return bytes;
  }
}
