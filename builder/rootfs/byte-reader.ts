/** Reads an exact number of bytes from a stream of chunks; what is skipped is never held in memory. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #current: Buffer = Buffer.alloc(0);
  offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Fewer bytes than asked for only at the end. */
  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#current.subarray(0, missing);
      parts.push(part);
      this.#take(part.length);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** False when the stream ended before that many bytes. */
  async skip(length: number): Promise<boolean> {
    let missing = length;
    while (missing > 0) {
      if (!(await this.#fill())) return false;
      const step = Math.min(missing, this.#current.length);
      this.#take(step);
      missing -= step;
    }
    return true;
  }

  /** The next bytes as they come; ends early only where the stream does. Leaving it early leaves the rest unread. */
  async *chunks(length: number): AsyncGenerator<Buffer> {
    let missing = length;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#current.subarray(0, missing);
      this.#take(part.length);
      missing -= part.length;
      yield part;
    }
  }

  /** Lets the producer end: closes the stream early when there is more. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#current.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#current = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return true;
  }

  #take(bytes: number): void {
    this.#current = this.#current.subarray(bytes);
    this.offset += bytes;
  }
}
