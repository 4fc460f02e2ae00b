import { readFile } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import { packageFiles } from "../../format/manifest.ts";
import { parseMemory } from "../facts/parse-proc.ts";
import type { StepOf } from "../plan/step.ts";
import { measuredStored } from "../stash/stored-file.ts";
import { tarExtractOptions } from "../system/tar-options.ts";
import { runPipeline } from "../system/run-pipeline.ts";
import type { SlotContext } from "./step-context.ts";

/**
 * A dead clock makes every file "from the future". The zeros that end the archive may go on behind tar's last record: with
 * `--ignore-zeros` it reads on to the end of its input, where it else would leave, and xz die of SIGPIPE.
 */
const tarOptions = [...tarExtractOptions, "--ignore-zeros", "--warning=no-timestamp"];

/**
 * Decodes on all cores straight into tar: package + decoder in memory, never package + unpacked. Its digest is measured on the way: it
 * was verified before, but on a medium that somebody else may write to it could be another one by now.
 */
export async function extractRootfs(
  step: StepOf<"extract-rootfs">,
  { report, stored }: Pick<SlotContext, "report" | "stored">,
): Promise<void> {
  const { availableBytes } = parseMemory(await readFile("/proc/meminfo", "utf8"));
  const archive = stored(packageFiles.rootfs);
  const { chunks, digest } = measuredStored(archive);
  await runPipeline({
    report,
    input: { name: archive.name, chunks },
    commands: [
      // Over the limit xz takes fewer threads; it never fails for it.
      [
        "xz",
        "--decompress",
        "--stdout",
        "--threads=0",
        `--memlimit-mt-decompress=${Math.floor(availableBytes / 3)}`,
      ],
      ["tar", ...tarOptions, "--directory", step.target],
    ],
    onPosition: (done) =>
      report({ kind: "progress", step: step.kind, done, total: step.archiveBytes, unit: "bytes" }),
  });
  if (digest() !== archive.sha256)
    throw new StepError(`${archive.name} is not what was verified before it was unpacked`, {
      hint: "Its medium is failing, or somebody writes to it. Copy the package to the gateway's own disk.",
    });
}
