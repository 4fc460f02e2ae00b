import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import type { StepOf } from "../plan/step.ts";
import { writeFileDurably } from "../system/files.ts";
import { recordWritten } from "./record-written.ts";
import type { SlotContext } from "./step-context.ts";

/** The release's own fstab described another disk; ours replaces it whole. */
export async function writeFstab(
  step: StepOf<"write-fstab">,
  context: Pick<SlotContext, "written">,
): Promise<void> {
  const path = join(step.target, "etc/fstab");
  const content = `${["# Written by dualroot when it converted this gateway.", ...step.lines].join("\n")}\n`;
  await writeFileDurably(path, content);
  if ((await readFile(path, "utf8")) !== content)
    throw new StepError(`${path} does not read back as written`);
  await recordWritten(context, [path]);
}
