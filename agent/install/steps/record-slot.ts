import { recordOf } from "../../slot/slot-record.ts";
import { writeSlotRecord } from "../../slot/write-slot-record.ts";
import type { InstallStepOf } from "../plan/install-step.ts";

export async function recordSlot({
  system,
  installedBy,
  stateFolder,
}: InstallStepOf<"record-slot">): Promise<void> {
  await writeSlotRecord(stateFolder, recordOf(system, installedBy));
}
