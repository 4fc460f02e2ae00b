import { open } from "node:fs/promises";
import type { StepOf } from "../plan/step.ts";
import type { StepContext } from "./step-context.ts";

const chunkBytes = 1024 * 1024;

/** Zeroes where old tables and signatures lie, so that no kernel and no LVM ever finds the old system again. */
export async function wipeSignatures(
  step: StepOf<"wipe-signatures">,
  { run, report }: StepContext,
): Promise<void> {
  const total = step.ranges.reduce((sum, range) => sum + range.sizeBytes, 0);
  const zeros = Buffer.alloc(chunkBytes);
  let done = 0;
  const disk = await open(step.disk, "r+");
  try {
    for (const range of step.ranges) {
      for (let offset = 0; offset < range.sizeBytes;) {
        const length = Math.min(chunkBytes, range.sizeBytes - offset);
        const { bytesWritten } = await disk.write(zeros, 0, length, range.startBytes + offset);
        offset += bytesWritten;
        done += bytesWritten;
      }
      report({ kind: "progress", step: step.kind, done, total, unit: "bytes" });
    }
    await disk.sync();
  } finally {
    await disk.close();
  }
  // The partitions' own caches still show what was there.
  await run("blockdev", ["--flushbufs", step.disk]);
}
