import { rm } from "node:fs/promises";
import { restoreIdentity as restoreIntoTarget } from "../../steps/restore-identity.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

/** The conversion's own step; then the copies of private keys go. */
export async function restoreIdentity(
  step: InstallStepOf<"restore-identity">,
  context: InstallContext,
): Promise<void> {
  try {
    await restoreIntoTarget(step, context);
  } finally {
    await rm(context.preservedTar, { force: true });
  }
}
