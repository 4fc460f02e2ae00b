import { mkdir } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import type { StepOf } from "../plan/step.ts";
import { readMountTable } from "../system/mounts.ts";
import type { SlotContext } from "./step-context.ts";

/** Mounts the new filesystems in the plan's order (`/` first) and checks the kernel's mount table. */
export async function mountTarget(
  step: StepOf<"mount-target">,
  { run }: Pick<SlotContext, "run">,
): Promise<void> {
  for (const mount of step.mounts) {
    await mkdir(mount.path, { recursive: true });
    // The rest of the inode tables is initialised by the new system, not now in the background of everything else.
    const options = mount.type === "ext4" ? "noatime,noinit_itable" : "noatime";
    await run("mount", ["-t", mount.type, "-o", options, mount.device, mount.path]);
  }
  const table = await readMountTable();
  const missing = step.mounts.filter(
    (mount) => !table.some(({ target, type }) => target === mount.path && type === mount.type),
  );
  if (missing.length > 0)
    throw new StepError(`not mounted after all: ${missing.map(({ path }) => path).join(", ")}`);
}
