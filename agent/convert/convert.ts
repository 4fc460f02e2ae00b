import { exitCodeOf, UserError } from "../../format/errors.ts";
import { fanOut } from "../../format/events.ts";
import type { Session } from "../ramdisk/session.ts";
import { describeError } from "../render/describe-error.ts";
import { executePlan } from "../steps/execute-plan.ts";
import { restart } from "../system/restart.ts";
import { isDiskChanged, markDiskChanged } from "./disk-changed.ts";
import { createDraft } from "./draft-report.ts";
import { goBack } from "./go-back.ts";
import { watchMemory } from "./memory-peak.ts";
import type { OldRoot } from "./old-root.ts";
import { prepare } from "./prepare.ts";

/** Stage 2, from the booted ramdisk to the new system. Until the first write every failure leads back to the old one. */
export async function convert(boot: Session): Promise<number> {
  const memory = watchMemory();
  const draft = createDraft(memory);
  draft.diskChanged = isDiskChanged();
  const session = { ...boot, report: fanOut([boot.report, draft.listen]) };
  let oldRoot: OldRoot | undefined;
  try {
    const context = await prepare(session, draft, (found) => (oldRoot = found));
    if (session.words.rehearse) {
      draft.notes.push("Rehearsal: everything was checked and planned, nothing was written.");
      session.tell(...draft.notes);
      await goBack(session, oldRoot, draft.report("refused"));
      return 0;
    }
    await executePlan(context, () => {
      markDiskChanged();
      draft.diskChanged = true;
    });
    const { peakMiB, totalMiB, takenBy } = memory.read();
    session.report({ kind: "detail", message: `memory at its peak: ${JSON.stringify(takenBy)}` });
    session.tell(`Memory: at most ${peakMiB} of ${totalMiB} MiB were in use.`);
    session.tell("dualroot: converted. The new system starts now.");
    await restart(session.run);
    return 0;
  } catch (error) {
    session.report({
      kind: "detail",
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    session.tell("", "dualroot: the conversion stopped.", ...describeError(error));
    if (draft.diskChanged) tellHowToGoOn(session);
    else
      await goBack(session, oldRoot, draft.report(error instanceof UserError ? "refused" : "failed", error));
    return exitCodeOf(error);
  } finally {
    memory.stop();
  }
}

/** After the first write the machine never restarts by itself: in its memory lies all there is of both systems. */
function tellHowToGoOn({ tell }: Session): void {
  tell(
    "",
    "The disk was already being changed, so the old system is gone. The package is still in this machine's memory:",
    "do NOT switch the machine off. What you can do at the prompt below:",
    "  node /usr/lib/dualroot/agent.mjs ramdisk     run the conversion again from the start; it begins anew and converges",
    "  less /run/dualroot/log                       see everything that was done",
    "  dmesg | tail                                 see what the kernel says about the disk",
    "",
  );
}
