import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { allEnded } from "../system/all-ended.ts";
import { cachedSegment, segmentStream, type Segment, type SegmentContext } from "./segment.ts";

/** Segments one after another, each at a multiple of 4, where the kernel looks for the next. */
export async function writeImage(
  segments: readonly Segment[],
  context: SegmentContext,
  output: string,
): Promise<{ offset: number; bytes: number }[]> {
  const isCompressed = context.compression !== "none";
  const compressed = isCompressed
    ? await allEnded(segments.map((segment) => cachedSegment(segment, context)))
    : [];
  const scratch = `${output}.new`;
  const placed: { offset: number; bytes: number }[] = [];
  let offset = 0;
  try {
    for (const [index, segment] of segments.entries()) {
      const stream = isCompressed
        ? createReadStream(compressed[index]!, { highWaterMark: 1024 * 1024 })
        : segmentStream(segment);
      const flags = index === 0 ? "w" : "a";
      const write = createWriteStream(scratch, { flags });
      await pipeline(stream, write);
      const bytes = write.bytesWritten;
      const padding = (4 - (bytes % 4)) % 4;
      if (padding > 0) await pipeline([Buffer.alloc(padding)], createWriteStream(scratch, { flags: "a" }));
      placed.push({ offset, bytes });
      offset += bytes + padding;
    }
    await rename(scratch, output);
  } finally {
    await rm(scratch, { force: true });
  }
  return placed;
}
