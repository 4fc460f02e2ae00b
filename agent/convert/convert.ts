import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCodeOf, userError, UserError } from "../../format/errors.ts";
import { fanOut, reportStep } from "../../format/events.ts";
import { packageFiles } from "../../format/manifest.ts";
import { decodeSgdiskBackup } from "../../format/partition-table.ts";
import { trustedKeysSchema } from "../../format/signature.ts";
import { failuresOf, runChecks } from "../checks/run-checks.ts";
import { gatherFacts } from "../facts/gather-facts.ts";
import { verifyPackage } from "../package/verify-package.ts";
import { planConversion } from "../plan/conversion-plan.ts";
import type { Session } from "../ramdisk/session.ts";
import { describeError } from "../render/describe-error.ts";
import { executePlan } from "../steps/execute-plan.ts";
import type { StepContext } from "../steps/step-context.ts";
import { restart } from "../system/restart.ts";
import { createDraft, type Draft } from "./draft-report.ts";
import { goBack } from "./go-back.ts";
import { watchMemory } from "./memory-peak.ts";
import { findOldRoot, mountReadOnly, protectDisks, releaseOldRoot, type OldRoot } from "./old-root.ts";
import { copyStashToMemory, hasStashInMemory, openStashInMemory } from "./take-stash.ts";

const keysFile = "/usr/lib/dualroot/keys.json";

/** Stage 2, from the booted ramdisk to the new system. Until the first write every failure leads back to the old one. */
export async function convert(boot: Session): Promise<number> {
  const memory = watchMemory();
  const draft = createDraft(memory);
  const session = { ...boot, report: fanOut([boot.report, draft.listen]) };
  const old: { root?: OldRoot } = {};
  try {
    const context = await prepare(session, draft, old);
    if (session.words.rehearse) {
      session.tell("Rehearsal: everything is checked and planned; nothing was written.");
      await goBack(session, old.root, draft.report("refused"));
      return 0;
    }
    await executePlan(context, () => {
      draft.diskChanged = true;
    });
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
      await goBack(session, old.root, draft.report(error instanceof UserError ? "refused" : "failed", error));
    return exitCodeOf(error);
  } finally {
    memory.stop();
  }
}

/** Everything before the first write: take the stash to memory, verify it, look at the machine, check, plan. */
async function prepare(session: Session, draft: Draft, old: { root?: OldRoot }): Promise<StepContext> {
  const { words, run, report } = session;
  const { stash: place, stashSha256 } = words;
  if (!place || !stashSha256) {
    throw userError({
      code: "stash-word-missing",
      message: "The kernel command line names no stash (dualroot.stash=, dualroot.stash_sha256=).",
      hint: "Start the conversion with upgrade.sh, which writes it.",
    });
  }
  if (!(await hasStashInMemory())) {
    await reportStep(report, { step: "take-stash", title: "Take the package to memory" }, async () => {
      old.root = await findOldRoot(run, place.filesystemUuid);
      const top = await mountReadOnly(run, old.root);
      await copyStashToMemory(join(top, place.folder), stashSha256, report);
      await releaseOldRoot(run, old.root);
    });
  }
  const taken = await openStashInMemory(stashSha256);
  const { manifest } = await reportStep(
    report,
    { step: "verify-package", title: "Verify the package" },
    async () =>
      verifyPackage(
        taken.packageFolder,
        trustedKeysSchema.parse(JSON.parse(await readFile(keysFile, "utf8"))).keys,
        {
          allowDevelopmentKeys: taken.stash.trust.role === "dev",
          onProgress: (done, total) =>
            report({ kind: "progress", step: "verify-package", done, total, unit: "bytes" }),
        },
      ),
  );
  draft.release = `${manifest.name} ${manifest.version}`;
  return reportStep(report, { step: "plan", title: "Look at the machine and plan" }, async () => {
    // From here on the disks show whether they themselves are read-only; nothing writes before the first step that says so.
    await protectDisks(run, false);
    const facts = await gatherFacts({ run });
    report({ kind: "detail", message: `facts: ${JSON.stringify(facts)}` });
    const template = decodeSgdiskBackup(
      await readFile(join(taken.packageFolder, packageFiles.partitionTable)),
    );
    const { stash } = taken;
    const options = { packageInMemory: true };
    const failures = failuresOf(runChecks({ stage: "ramdisk", manifest, facts, stash, template, options }));
    if (failures.length > 0) throw new UserError(failures, "refused");
    const plan = planConversion({ manifest, facts, stash, template });
    report({ kind: "detail", message: `plan: ${JSON.stringify(plan)}` });
    const draftReport = (): ReturnType<Draft["report"]> => draft.report("converted");
    const { notes } = draft;
    const changed: string[] = [];
    return {
      run,
      report,
      runtimeFolder: "/",
      manifest,
      ...taken,
      plan,
      notes,
      changed,
      logFile: session.logFile,
      draftReport,
    };
  });
}

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
