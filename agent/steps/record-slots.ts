import { recordEvent } from "../slot/history.ts";
import { recordOf } from "../slot/slot-record.ts";
import { describeKeptSystem, describeRelease } from "../slot/system-file.ts";
import { writeSlotRecord } from "../slot/write-slot-record.ts";
import type { StepContext } from "./step-context.ts";

/** The first records of both slots, and the first line of the history. */
export async function recordSlots(
  stateFolder: string,
  { manifest, plan, isOldSystemRestored }: Pick<StepContext, "manifest" | "plan" | "isOldSystemRestored">,
): Promise<void> {
  const release = describeRelease(manifest, "A", plan.volumeGroup);
  await writeSlotRecord(stateFolder, recordOf(release, "conversion"));
  const restore = plan.steps.find((step) => step.kind === "restore-old-system");
  const kept =
    restore && isOldSystemRestored === true
      ? describeKeptSystem(manifest, restore.osName, plan.volumeGroup)
      : undefined;
  if (kept) await writeSlotRecord(stateFolder, recordOf(kept, "conversion"));
  await recordEvent(stateFolder, {
    event: "converted",
    slot: "A",
    version: release.version,
    message: `this gateway became ${release.name} ${release.version}; ${kept ? `${kept.name} is kept in slot B` : "slot B is empty"}`,
  });
}
