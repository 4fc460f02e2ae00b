import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";

export interface ExpectedFile {
  /** Absolute, each byte of the name as one character: names are bytes, not always UTF-8. */
  path: string;
  sha256: string;
}

/** What the threads share: each takes the next file nobody has taken yet, which is also their order on the disk. */
export interface Comparison {
  files: readonly ExpectedFile[];
  next: Int32Array;
}

export interface CompareOptions {
  threads: number;
  /** The agent's own bundle, which a second thread runs as `agent.mjs compare-files`. */
  agentFile: string;
  onProgress: (doneFiles: number) => void;
}

const turnMs = 100;
/** A thread only reads and hashes; the package may still fill most of the memory. */
const threadLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** Reads every file; positions of those that are not what they should be, or cannot be read. */
export async function compareFiles(
  files: readonly ExpectedFile[],
  { threads, agentFile, onProgress }: CompareOptions,
): Promise<number[]> {
  const comparison = { files, next: new Int32Array(new SharedArrayBuffer(4)) };
  const helpers = Promise.all(Array.from({ length: threads - 1 }, () => startThread(agentFile, comparison)));
  // Thrown below; until then one that has died must not count as unhandled, which ends the agent.
  helpers.catch(() => {});
  const wrong: number[] = [];
  let turn = performance.now();
  for (const position of compareNext(comparison)) {
    if (position !== undefined) wrong.push(position);
    if (performance.now() - turn < turnMs) continue;
    onProgress(Math.min(files.length, Atomics.load(comparison.next, 0)));
    await nextTurn();
    turn = performance.now();
  }
  return [...wrong, ...(await helpers).flat()].sort((one, other) => one - other);
}

/** Takes file after file; yields its position when it is wrong, else undefined. */
export function* compareNext({ files, next }: Comparison): Generator<number | undefined> {
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  for (let position = Atomics.add(next, 0, 1); position < files.length; position = Atomics.add(next, 0, 1)) {
    const { path, sha256 } = files[position]!;
    yield hashFile(Buffer.from(path, "latin1"), buffer) === sha256 ? undefined : position;
  }
}

/** A thread that dies takes the step with it: which files it had already read, nobody knows. */
function startThread(agentFile: string, workerData: Comparison): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(agentFile, {
      argv: ["compare-files"],
      workerData,
      resourceLimits: threadLimits,
    });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a reading thread ended with code ${code}`)));
  });
}

/** Synchronous: ten thousand small files cost more in promises than in reading. undefined when it cannot be read. */
function hashFile(path: Buffer, buffer: Buffer): string | undefined {
  let descriptor;
  try {
    descriptor = openSync(path, "r");
    const hash = createHash("sha256");
    for (;;) {
      const length = readSync(descriptor, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, length));
    }
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
