import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { captureIdentity } from "../identity/capture.ts";
import { compareIdentity } from "../identity/compare.ts";
import { recordSlots } from "./record-slots.ts";
import type { StepOf } from "../plan/step.ts";
import { syncPath, writeFileDurably } from "../system/files.ts";
import type { StepContext } from "./step-context.ts";

/** The proof for the gateway's owner: what was done, and each item of identity, read back from the new system's own files. */
export async function saveReport(step: StepOf<"save-report">, context: StepContext): Promise<void> {
  const { identity: after, problems } = await captureIdentity(step.target);
  context.notes.push(...problems.map((problem) => problem.message));
  const table = compareIdentity(context.identity, after);
  for (const { item, old, new: now } of table.filter((row) => !row.equal)) {
    context.report({ kind: "note", level: "warn", message: `${item} changed: ${old} is now ${now}` });
  }
  await mkdir(step.folder, { recursive: true, mode: 0o755 });
  const content = { ...context.draftReport(), outcome: "converted", identity: table };
  await writeFileDurably(join(step.folder, "report.json"), `${JSON.stringify(content, null, 2)}\n`, 0o644);
  // Command lines and tool output; no secrets are ever on a command line, yet it is root's business.
  await copyFile(context.logFile, join(step.folder, "conversion.log"));
  await recordSlots(step.folder, context);
  await syncPath(step.folder);
}
