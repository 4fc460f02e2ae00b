import { rmSync } from "node:fs";
import { exitCodes } from "../../format/errors.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
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
    // Tools that still run may be writing into it: try again while they end.
    if (path !== undefined) rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
  process.exit(exitCodes.interrupted);
}
