import { stat } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import type { StepOf } from "../plan/step.ts";
import { exists } from "../system/files.ts";
import { inChroot } from "../system/in-chroot.ts";
import { recordWritten } from "./record-written.ts";
import type { SlotContext } from "./step-context.ts";

const rebuildSeconds = 20 * 60;

/** The target's own tool, in the target, makes an initramfs that finds /dev/mapper/VA-root_a. */
export async function rebuildInitramfs(
  step: StepOf<"rebuild-initramfs">,
  context: Pick<SlotContext, "run" | "written">,
): Promise<void> {
  const initramfs = join(step.target, step.initramfs);
  const before = await changeOf(initramfs);
  const command =
    step.tool === "dracut"
      ? // Drivers for any machine, and LVM even where nothing of it was seen when the image was made.
        ["dracut", "--force", "--no-hostonly", "--add", "lvm", step.initramfs, step.kernelVersion]
      : ["update-initramfs", before === undefined ? "-c" : "-u", "-k", step.kernelVersion];
  await inChroot(context.run, step.target, command, {
    timeoutSeconds: rebuildSeconds,
    hint: `The new system's ${step.tool} could not make an initramfs; the log has its output.`,
  });
  const after = await changeOf(initramfs);
  if (after === undefined || after === before) {
    throw new StepError(`${step.tool} ended without error, but did not write ${step.initramfs}`);
  }
  await recordWritten(context, [initramfs]);
}

/** Changes whenever the file is written; undefined when it is not there or empty. */
async function changeOf(file: string): Promise<string | undefined> {
  if (!(await exists(file))) return undefined;
  const { mtimeNs, ino, size } = await stat(file, { bigint: true });
  return size === 0n ? undefined : `${mtimeNs} ${ino} ${size}`;
}
