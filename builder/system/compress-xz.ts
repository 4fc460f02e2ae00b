import { availableParallelism } from "node:os";
import { startArchiver } from "./archiver.ts";

/** What decoding one block may take of a gateway's memory. */
const largestDictionaryBytes = 64 * 1024 * 1024;

const gatheredBytes = 1024 * 1024;

export interface XzSettings {
  xzLevel: number;
  blockBytes: number;
}

/** A stream as one multi-block xz stream; xz streams can be put one behind another. */
export async function* compressXz(
  source: AsyncIterable<Uint8Array>,
  settings: XzSettings,
): AsyncGenerator<Buffer> {
  const xz = startArchiver(xzArguments(settings));
  const feeding = (async () => {
    const stdin = xz.child.stdin!;
    for await (const chunk of gathered(source)) {
      // Written before the next is gathered into the same memory; a failure is for the exit code to tell.
      await new Promise<void>((resolve) => void stdin.write(chunk, () => resolve()));
      if (xz.child.exitCode !== null || xz.child.signalCode !== null) return;
    }
    xz.child.stdin!.end();
  })();
  // Thrown below; until then it only has to end xz, which ends the reading here.
  feeding.catch(() => xz.child.kill());
  try {
    yield* xz.child.stdout as AsyncIterable<Buffer>;
    await feeding;
    await xz.succeeded();
  } finally {
    xz.child.kill();
    await feeding.catch(() => {});
  }
}

/** A tar comes in many small pieces, and each that is written takes a call of the system. All are gathered in the same memory. */
async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(gatheredBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + gatheredBytes - filled);
      buffer.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < gatheredBytes) continue;
      yield buffer;
      filled = 0;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/** How the bytes are made, for a cache's key: the number of threads changes nothing. */
export function xzSettingsText(settings: XzSettings): string {
  return xzArguments(settings)
    .filter((word) => !word.startsWith("--threads="))
    .join(" ");
}

/**
 * At least two threads, because one thread writes blocks without sizes in their headers: other bytes. From level 6 on the
 * dictionary is the whole block, which makes up for blocks smaller than xz's own. No x86 filter: it makes programs smaller
 * but kernel modules, whose calls are not yet relocated, 2.5 % larger.
 */
function xzArguments({ xzLevel, blockBytes }: XzSettings): string[] {
  const threads = Math.max(2, availableParallelism());
  const dictionary = xzLevel < 6 ? "" : `,dict=${Math.min(blockBytes, largestDictionaryBytes)}`;
  return [
    "xz",
    "--compress",
    "--stdout",
    `--threads=${threads}`,
    `--block-size=${blockBytes}`,
    "--check=crc64",
    `--lzma2=preset=${xzLevel}${dictionary}`,
  ];
}
