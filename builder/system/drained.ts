import type { Writable } from "node:stream";

/**
 * Until a process takes more input, or its end has closed it; why it ended is for its exit code to say. Nothing here outlives the
 * wait: a large image makes a hundred thousand of them.
 */
export async function drained(stream: Writable): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
