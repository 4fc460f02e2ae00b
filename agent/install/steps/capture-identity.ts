import { captureIdentity as readIdentity, capturePreserved } from "../../identity/capture.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

/**
 * As late as can be: what a person changed while the archive was unpacked is carried as well. The preserved files wait in the slot
 * itself, which has room for them, and readable by root only.
 */
export async function captureIdentity(
  step: InstallStepOf<"capture-identity">,
  context: InstallContext,
): Promise<void> {
  const { run, report, interfaces, preservedTar } = context;
  const { identity } = await readIdentity(step.root, { interfaces });
  context.identity = { ...identity, ...(await context.network) };
  const { entries, missing } = await capturePreserved({
    root: step.root,
    paths: step.paths,
    elsewhere: step.elsewhere,
    output: preservedTar,
    run,
  });
  if (missing.length > 0) context.notes.push(`Nothing matches ${missing.join(", ")}, which is to be kept.`);
  report({ kind: "detail", message: `${entries} files and folders are carried` });
}
