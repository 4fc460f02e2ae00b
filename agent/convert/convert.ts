import { exitCodeOf, UserError } from "../../format/errors.ts";
import { fanOut } from "../../format/events.ts";
import { whyGiveUp } from "../boot/resume-record.ts";
import type { Session } from "../ramdisk/session.ts";
import { describeError } from "../render/describe-error.ts";
import type { RescueKnowledge } from "../rescue/rescue.ts";
import { executePlan } from "../steps/execute-plan.ts";
import { restart } from "../system/restart.ts";
import { failAfterArming, giveUp } from "./after-arming.ts";
import { armedCommandLine, isDiskChanged } from "./disk-changed.ts";
import { createDraft, type Draft } from "./draft-report.ts";
import { goBack } from "./go-back.ts";
import { watchMemory } from "./memory-peak.ts";
import type { OldRoot } from "./old-root.ts";
import { pointOfNoReturn } from "./point-of-no-return.ts";
import { prepare } from "./prepare.ts";
import { countStart, recordPlaceOf, type RecordPlace } from "./resume-count.ts";
import { takeStash } from "./take-stash.ts";
import type { TakenStash } from "./taken-stash.ts";

/** What became known before something failed. */
interface Known {
  oldRoot?: OldRoot;
  taken?: TakenStash;
  record?: RecordPlace;
}

/** Stage 2, from the booted ramdisk to the new system. Until the point of no return every failure leads back to the old one. */
export async function convert(boot: Session): Promise<number> {
  const memory = watchMemory();
  const draft = createDraft(memory);
  const session = { ...boot, report: fanOut([boot.report, draft.listen]) };
  const noReturn = pointOfNoReturn(draft);
  if (session.words.resume) {
    noReturn.diskChanged();
    noReturn.armed(session.commandLine);
  }
  draft.diskChanged = isDiskChanged();
  const known: Known = {};
  try {
    const source = await takeStash(session, (found) => {
      known.oldRoot = found;
    });
    known.taken = source.taken;
    const record = recordPlaceOf(source.taken);
    if (record) known.record = record;
    if (session.words.resume && record) {
      const why = await countResume(session, record, draft);
      if (why !== undefined) return await giveUp(session, why, knowledgeOf(known));
    }
    const context = await prepare(session, source, draft, noReturn);
    if (session.words.rehearse) {
      draft.notes.push("Rehearsal: everything was checked and planned, nothing was written.");
      session.tell(...draft.notes);
      await goBack(session, known.oldRoot, draft.report("refused"));
      return 0;
    }
    await executePlan(context);
    const { peakMiB, totalMiB, takenBy } = memory.read();
    session.report({ kind: "detail", message: `memory at its peak: ${JSON.stringify(takenBy)}` });
    session.tell(`Memory: at most ${peakMiB} of ${totalMiB} MiB were in use.`);
    session.tell("dualroot: converted. The new system starts now.");
    await restart(session.run);
    return 0;
  } catch (error) {
    return await stopped(session, error, known, draft);
  } finally {
    memory.stop();
  }
}

/** Why it must not go on, or undefined. A start that cannot be counted goes on: if the disk is bad, a step will fail. */
async function countResume(session: Session, record: RecordPlace, draft: Draft): Promise<string | undefined> {
  try {
    const counted = await countStart(session, record);
    const { starts, failures, lastFailure } = counted;
    draft.notes.push(
      `Interrupted and resumed: start ${starts + 1} of the conversion, ${failures} failures before${lastFailure === undefined ? "" : `, the last one: ${lastFailure}`}.`,
    );
    session.tell(`dualroot: resumed; start ${counted.starts}, ${counted.failures} failures so far.`);
    return whyGiveUp(counted);
  } catch (error) {
    session.tell("dualroot: resumed; this start cannot be counted:", ...describeError(error));
    return undefined;
  }
}

async function stopped(session: Session, error: unknown, known: Known, draft: Draft): Promise<number> {
  session.report({
    kind: "detail",
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  session.tell("", "dualroot: the conversion stopped.", ...describeError(error));
  if (armedCommandLine() !== undefined)
    return failAfterArming(session, error, known.record, knowledgeOf(known));
  if (isDiskChanged()) tellHowToGoOn(session);
  else
    await goBack(
      session,
      known.oldRoot,
      draft.report(error instanceof UserError ? "refused" : "failed", error),
    );
  return exitCodeOf(error);
}

/** The gateway's addresses and keys, for the rescue system. */
function knowledgeOf({ taken }: Known): Omit<RescueKnowledge, "reason"> {
  return taken ? { identity: taken.identity, preservedTar: taken.preservedTar } : {};
}

/** Ram mode, before the stash has its place on the disk: in the machine's memory lies all there is of both systems. */
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
