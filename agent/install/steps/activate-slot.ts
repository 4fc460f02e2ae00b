import { changeSlots } from "../../boot/change-slots.ts";
import { recordEvent } from "../../slot/history.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";
import { knownGood } from "./mark-slot-bad.ts";

/** The last write. The slot that runs is the fallback, as it is. */
export async function activateSlot(
  { grubenv, slot, running, stateFolder }: InstallStepOf<"activate-slot">,
  { run, plan }: InstallContext,
): Promise<void> {
  await changeSlots(
    {
      path: grubenv,
      set: new Map([
        ["ORDER", `${slot} ${running}`],
        [`${slot}_OK`, "1"],
        [`${slot}_TRY`, "0"],
      ]),
      fallback: knownGood(running),
    },
    run,
  );
  await recordEvent(stateFolder, {
    event: "activated",
    slot: running,
    version: plan.fromVersion,
    message: `slot ${slot} (${plan.release}) boots next; slot ${running} is the fallback`,
  });
}
