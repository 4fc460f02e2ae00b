import { parentPort, workerData } from "node:worker_threads";
import { compareNext, type Comparison } from "./compare-files.ts";

/** A second thread of compareFiles: takes files as the first does, and tells in the end which were wrong. */
export function compareFilesThread(): void {
  const wrong = [...compareNext(workerData as Comparison)].filter((position) => position !== undefined);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
  parentPort?.postMessage(wrong);
}
