import type { LogEntry } from "./write-log.ts";

/** Writes and discards between two flushes: after a cut in between, any of them may be on the medium, or none. */
export interface Epoch {
  /** Entry numbers in the log. */
  writes: number[];
  /** Entry number of the flush that ends it; of the log's end for the last. */
  end: number;
}

/** Epochs with at least one write. What comes after the last flush of the log is an epoch too. */
export function splitEpochs(log: readonly LogEntry[]): Epoch[] {
  const epochs: Epoch[] = [];
  let writes: number[] = [];
  const close = (end: number): void => {
    if (writes.length > 0) epochs.push({ writes, end });
    writes = [];
  };
  for (const [index, entry] of log.entries()) {
    if (entry.kind === "flush") close(index);
    else {
      writes.push(index);
      if (entry.isForced) close(index + 1);
    }
  }
  close(log.length);
  return epochs;
}
