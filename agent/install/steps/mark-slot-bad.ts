import { changeSlots } from "../../boot/change-slots.ts";
import { recordEvent } from "../../slot/history.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

/** The first write: from here on GRUB does not look at the slot, whatever lies in it. Nothing of the running slot's state changes. */
export async function markSlotBad(
  { grubenv, slot, running, stateFolder }: InstallStepOf<"mark-slot-bad">,
  context: InstallContext,
): Promise<void> {
  const { run, plan, notes, without } = context;
  if (without.has("bad-first")) return;
  context.isMarkedBad = true;
  const { repaired } = await changeSlots(
    {
      path: grubenv,
      set: new Map([
        ["ORDER", `${running} ${slot}`],
        [`${slot}_OK`, "0"],
        [`${slot}_TRY`, "0"],
      ]),
      fallback: knownGood(running),
    },
    run,
  );
  if (repaired) {
    const message = "GRUB's environment block was damaged and has been made anew";
    notes.push(`${message}.`);
    await recordEvent(stateFolder, {
      event: "grubenv-repaired",
      slot: running,
      version: plan.fromVersion,
      message,
    });
  }
}

/** Of a block that cannot be read: the slot that runs booted, and the checks have found it healthy. */
export function knownGood(running: string): ReadonlyMap<string, string> {
  return new Map([
    [`${running}_OK`, "1"],
    [`${running}_TRY`, "0"],
  ]);
}
