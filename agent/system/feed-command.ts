import type { Writable } from "node:stream";

export interface CommandInput {
  name: string;
  /** A chunk may be used anew once the next but one is asked for. */
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * undefined when all went in, or when the reader went away, which its own exit code explains; else why the input could not
 * be read. Never rejects.
 */
export async function feedCommand(
  { name, chunks }: CommandInput,
  into: Writable,
  onFed: (bytes: number) => void = () => {},
): Promise<string | undefined> {
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    const leave = (): void => {
      isGone = true;
      resolve();
    };
    into.on("error", leave).on("close", leave);
  });
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      await Promise.race([new Promise<void>((resolve) => into.write(chunk, () => resolve())), gone]);
      if (isGone) return undefined;
      bytes += chunk.length;
      onFed(bytes);
    }
    return undefined;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    if (!isGone) into.end();
  }
}
