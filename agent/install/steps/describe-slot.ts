import { chmod, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { describeSlot as describe } from "../../slot/describe-slot.ts";
import { recordWritten } from "../../steps/record-written.ts";
import { exists } from "../../system/files.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

const folder = "etc/dualroot";
/** Settings of the gateway, not of a release. */
const carried = ["health.conf", "compatible"] as const;

export async function describeSlot(
  step: InstallStepOf<"describe-slot">,
  context: Pick<InstallContext, "run" | "written" | "runtimeFolder">,
): Promise<void> {
  const own = join(step.root, folder, "keys.json");
  // A gateway without keys of its own gets those that the package was judged by, as in a conversion.
  const keysFile = (await exists(own)) ? own : join(context.runtimeFolder, "usr/lib/dualroot/keys.json");
  await describe({ ...step, keysFile }, context.run);
  for (const name of carried) {
    const from = join(step.root, folder, name);
    if (!(await exists(from))) continue;
    await copyFile(from, join(step.target, folder, name));
    await chmod(join(step.target, folder, name), 0o644);
  }
  await recordWritten(context, [join(step.target, folder), join(step.target, "boot/slot.cfg")]);
}
