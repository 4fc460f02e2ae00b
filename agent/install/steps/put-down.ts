import { unmountBelow } from "../../system/mounts.ts";
import { installFolder } from "../target-folder.ts";
import type { InstallContext } from "./install-context.ts";
import { markSlotBad } from "./mark-slot-bad.ts";

/**
 * After a failure or Ctrl-C: nothing stays mounted, and the slot bad. It is already, unless the very last step failed, which may have
 * written before it did. Nothing here may hide what went wrong.
 */
export async function putDown(context: InstallContext): Promise<void> {
  const { run, report, plan } = context;
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) =>
      report({ kind: "detail", message: `while cleaning up: ${String(error)}` }),
    );
  };
  await attempt(() => unmountBelow(run, installFolder));
  // Stopped before the first write: what lies in the other slot is as good as it was.
  if (!context.isMarkedBad) return;
  const bad = plan.steps.find((step) => step.kind === "mark-slot-bad");
  if (bad) await attempt(() => markSlotBad(bad, context));
}
