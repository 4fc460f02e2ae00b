import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { restoreIdentity as applyIdentity } from "../identity/restore.ts";
import type { StepOf } from "../plan/step.ts";
import { renderExpected } from "../slot/render-expected.ts";
import { writeFileDurably } from "../system/files.ts";
import { recordWritten } from "./record-written.ts";
import type { SlotContext } from "./step-context.ts";

/** Makes the new system the same box: network, names, accounts, keys, files. And tells its health gate what to expect. */
export async function restoreIdentity(step: StepOf<"restore-identity">, context: SlotContext): Promise<void> {
  const { identity, preservedTar, manifest, run, notes, changed } = context;
  const { target, network } = step;
  const restored = await applyIdentity({ identity, preservedTar, target, network, release: manifest, run });
  notes.push(...restored.notes);
  changed.push(...restored.changed);
  const folder = join(target, "etc/dualroot");
  await mkdir(folder, { recursive: true });
  const expected = join(folder, "expected.sh");
  await writeFileDurably(expected, renderExpected(identity));
  await recordWritten(context, [...restored.changed.map((path) => join(target, path)), expected]);
}
