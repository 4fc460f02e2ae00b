import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { StepError, hasErrorCode } from "../../format/errors.ts";

/** Streams one after another into a new file, digested on the way. */
export async function writeChunks(
  output: string,
  sources: readonly AsyncIterable<Uint8Array>[],
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash("sha256");
  const file = await open(output, "w");
  let sizeBytes = 0;
  try {
    for (const source of sources) {
      for await (const chunk of source) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        await file.writeFile(chunk).catch((cause: unknown) => {
          throw new StepError(
            `cannot write ${output}: ${cause instanceof Error ? cause.message : String(cause)}`,
            {
              hint: hasErrorCode(cause, "ENOSPC", "EDQUOT")
                ? "The disk is full. Free some space, or build elsewhere."
                : "See the message above.",
              cause,
            },
          );
        });
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}
