import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import type { Epoch } from "../log/epochs.ts";
import { sectorBytes, type LogEntry } from "../log/write-log.ts";
import type { Point } from "./points.ts";

const run = createRun(silent);
const chunkBytes = 4 * 1024 * 1024;

/** What a disk's state is rebuilt from. */
export interface ReplaySource {
  startImage: string;
  logFile: string;
  log: readonly LogEntry[];
  epochs: readonly Epoch[];
}

/** Rebuilds the disk as it was at points that come in the order of their epochs; one image grows along, each point gets a copy. */
export class DiskAtPoint {
  readonly #source: ReplaySource;
  readonly #base: string;
  readonly #folder: string;
  #logFile: FileHandle | undefined;
  #applied = -1;

  constructor(source: ReplaySource, folder: string) {
    this.#source = source;
    this.#folder = folder;
    this.#base = join(folder, "base.img");
  }

  /** Path of a new raw image; the caller removes it. */
  async build(point: Point): Promise<string> {
    await this.#advance(point.epoch);
    const image = join(this.#folder, `${point.name}.img`);
    await copySparse(this.#base, image);
    const file = await open(image, "r+");
    try {
      for (const entry of point.kept)
        await this.#apply(file, entry, point.torn?.entry === entry ? point.torn.sectors : undefined);
    } finally {
      await file.close();
    }
    return image;
  }

  async close(): Promise<void> {
    await this.#logFile?.close();
    await rm(this.#base, { force: true });
  }

  /** Everything before the epoch is on the medium. */
  async #advance(epoch: number): Promise<void> {
    if (this.#applied < 0 || epoch < this.#applied) {
      await copySparse(this.#source.startImage, this.#base);
      this.#applied = 0;
    }
    const file = await open(this.#base, "r+");
    try {
      for (; this.#applied < epoch; this.#applied += 1)
        for (const entry of this.#source.epochs[this.#applied]!.writes) await this.#apply(file, entry);
    } finally {
      await file.close();
    }
  }

  async #apply(file: FileHandle, number: number, only?: number): Promise<void> {
    const entry = this.#source.log[number]!;
    const bytes = (only ?? entry.sectors) * sectorBytes;
    this.#logFile ??= await open(this.#source.logFile, "r");
    for (let done = 0; done < bytes; done += chunkBytes) {
      const chunk = Buffer.alloc(Math.min(chunkBytes, bytes - done));
      if (entry.kind === "write") await this.#logFile.read(chunk, 0, chunk.length, entry.dataOffset + done);
      await file.write(chunk, 0, chunk.length, entry.sector * sectorBytes + done);
    }
  }
}

async function copySparse(from: string, to: string): Promise<void> {
  await run("cp", ["--sparse=always", "--reflink=auto", from, to]);
}
