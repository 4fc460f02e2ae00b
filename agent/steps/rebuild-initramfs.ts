import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import type { StepOf } from "../plan/step.ts";
import { exists } from "../system/files.ts";
import type { Run } from "../system/run.ts";
import type { StepContext } from "./step-context.ts";

const rebuildSeconds = 20 * 60;
const path = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The target's own tool, in the target, makes an initramfs that finds /dev/mapper/VA-root_a. */
export async function rebuildInitramfs(
  step: StepOf<"rebuild-initramfs">,
  { run }: Pick<StepContext, "run">,
): Promise<void> {
  const initramfs = join(step.target, step.initramfs);
  const before = await changeOf(initramfs);
  const command =
    step.tool === "dracut"
      ? // Drivers for any machine, and LVM even where nothing of it was seen when the image was made.
        ["dracut", "--force", "--no-hostonly", "--add", "lvm", step.initramfs, step.kernelVersion]
      : ["update-initramfs", before === undefined ? "-c" : "-u", "-k", step.kernelVersion];
  await inTarget(run, step.target, async () => {
    await run("chroot", [step.target, "/usr/bin/env", `PATH=${path}`, "TMPDIR=/var/tmp", ...command], {
      timeoutSeconds: rebuildSeconds,
      hint: `The new system's ${step.tool} could not make an initramfs; the log has its output.`,
    });
  });
  const after = await changeOf(initramfs);
  if (after === undefined || after === before) {
    throw new StepError(`${step.tool} ended without error, but did not write ${step.initramfs}`);
  }
}

/** Runs `work` while the target sees the kernel's file systems; takes them away again whatever happens. */
async function inTarget(run: Run, target: string, work: () => Promise<void>): Promise<void> {
  const mounted: string[] = [];
  try {
    for (const folder of ["proc", "sys", "dev"]) {
      const place = join(target, folder);
      await mkdir(place, { recursive: true });
      await run("mount", ["--bind", `/${folder}`, place]);
      mounted.unshift(place);
    }
    await mkdir(join(target, "var/tmp"), { recursive: true });
    await work();
  } finally {
    // Busy (a process the tool left behind) must neither hide what went wrong nor keep the target mounted.
    for (const place of mounted) await run("umount", ["-l", place], { acceptExitCodes: [1, 32] });
  }
}

/** Changes whenever the file is written; undefined when it is not there or empty. */
async function changeOf(file: string): Promise<string | undefined> {
  if (!(await exists(file))) return undefined;
  const { mtimeNs, ino, size } = await stat(file, { bigint: true });
  return size === 0n ? undefined : `${mtimeNs} ${ino} ${size}`;
}
