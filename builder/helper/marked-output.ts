import type { Readable } from "node:stream";
import { StepError } from "../../format/errors.ts";

/** Takes a piece of output; a promise holds the sender back until it is done. */
export type Sink = (bytes: Buffer) => void | Promise<void>;

/**
 * Reads a stream that stays open from command to command up to `mark`, which ends each command's output and which no command
 * knows. Holds back only what may be the mark's beginning. When `sink` fails, the rest is read and dropped, so that the
 * command can end, and the failure is thrown then.
 */
export function readToMark(stream: Readable, mark: Buffer, sink: Sink): Promise<void> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    let failure: Error | undefined;
    const pass = async (bytes: Buffer): Promise<void> => {
      if (bytes.length === 0 || failure) return;
      try {
        const accepted = sink(bytes);
        if (accepted === undefined) return;
        stream.pause();
        await accepted;
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
    };
    const finish = (error?: Error): void => {
      stream.off("data", onData).off("close", onClose);
      stream.pause();
      if (error) reject(error);
      else resolve();
    };
    const take = async (chunk: Buffer): Promise<void> => {
      const joined = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const isOver = joined.length >= mark.length && joined.subarray(-mark.length).equals(mark);
      const passed = isOver ? joined.length - mark.length : joined.length - beginningOf(mark, joined);
      held = Buffer.from(joined.subarray(passed));
      await pass(joined.subarray(0, passed));
      if (isOver) finish(failure);
      else stream.resume();
    };
    // One after another, also when pause() comes too late for a piece that was read already.
    let last = Promise.resolve();
    const onData = (chunk: Buffer): void => {
      stream.pause();
      last = last.then(() => take(chunk));
    };
    const onClose = (): void => finish(new StepError("The helper ended in the middle of a command."));
    stream.on("data", onData).on("close", onClose);
    stream.resume();
  });
}

/** How many of the last bytes may be the first ones of `mark`. */
function beginningOf(mark: Buffer, bytes: Buffer): number {
  for (let length = Math.min(mark.length - 1, bytes.length); length > 0; length--)
    if (bytes.subarray(-length).equals(mark.subarray(0, length))) return length;
  return 0;
}
