import { rmSync } from "node:fs";
import { exitCodes, hasErrorCode } from "../../format/errors.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const attempts = 100;
const pauseMs = 100;
const watched = new Set<() => string | undefined>();

/** Until the returned function is called, Ctrl-C and its like remove a folder before the program ends with the code 130. */
export function removeOnInterrupt(folder: () => string | undefined): () => void {
  if (watched.size === 0) for (const signal of signals) process.on(signal, removeAll);
  watched.add(folder);
  return () => {
    watched.delete(folder);
    if (watched.size === 0) for (const signal of signals) process.off(signal, removeAll);
  };
}

/** Watched until the very end: a second Ctrl-C would kill the program while it still removes. */
function removeAll(): void {
  for (const folder of watched) {
    const path = folder();
    if (path !== undefined) removeFolder(path);
  }
  process.exit(exitCodes.interrupted);
}

/** Tools that still run may be writing into it: tried again while they end. rmSync's own retries do not remove what is new. */
function removeFolder(path: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (attempt === attempts || !hasErrorCode(error, "ENOTEMPTY", "EBUSY")) throw error;
    }
    // Nothing else may run any more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}
