import type { StepOf } from "../plan/step.ts";
import { unmountBelow } from "../system/mounts.ts";
import type { StepContext } from "./step-context.ts";

/** Everything reaches the disk, then nothing holds it: the boot sector is written last and alone. */
export async function unmountTarget(
  step: StepOf<"unmount-target">,
  { run, plan }: StepContext,
): Promise<void> {
  await run("sync", []);
  await unmountBelow(run, step.target);
  await run("lvm", ["vgchange", "--activate", "n", plan.volumeGroup]);
  await run("blockdev", ["--flushbufs", plan.disk]);
}
