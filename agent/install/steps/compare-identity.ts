import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { captureIdentity } from "../../identity/capture.ts";
import { compareIdentity as compare } from "../../identity/compare.ts";
import { exists } from "../../system/files.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

/** What both slots share is laid into the new one meanwhile, read-only: homes and keys may lie there. */
export async function compareIdentity(
  { target, shared }: InstallStepOf<"compare-identity">,
  context: InstallContext,
): Promise<void> {
  const { run, report, identity } = context;
  const mounted: string[] = [];
  try {
    for (const path of shared) {
      const place = join(target, path);
      // A release that lacks the folder has it made by its first boot; now the slot may be read-only.
      if (!(await exists(place)) && !(await makeFolder(place))) continue;
      await run("mount", ["--bind", path, place]);
      mounted.unshift(place);
      await run("mount", ["-o", "remount,bind,ro", place]);
    }
    const { identity: after } = await captureIdentity(target);
    context.identityTable = compare(identity, after);
  } finally {
    for (const place of mounted) await run("umount", ["-l", place], { acceptExitCodes: [1, 32] });
  }
  for (const { item, old, new: now } of context.identityTable.filter((row) => !row.equal))
    report({ kind: "note", level: "warn", message: `${item} changed: ${old} is now ${now}` });
}

async function makeFolder(path: string): Promise<boolean> {
  return mkdir(path, { recursive: true }).then(
    () => true,
    () => false,
  );
}
