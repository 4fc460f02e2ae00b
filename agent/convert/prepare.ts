import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { userError, UserError } from "../../format/errors.ts";
import { reportStep } from "../../format/events.ts";
import { packageFiles } from "../../format/manifest.ts";
import { decodeSgdiskBackup } from "../../format/partition-table.ts";
import { trustedKeysSchema } from "../../format/signature.ts";
import type { Stash } from "../../format/stash.ts";
import { failuresOf, runChecks } from "../checks/run-checks.ts";
import { gatherFacts } from "../facts/gather-facts.ts";
import { verifyPackage, type VerifiedPackage } from "../package/verify-package.ts";
import { planConversion } from "../plan/conversion-plan.ts";
import type { ConversionPlan } from "../plan/step.ts";
import type { RamdiskWords } from "../ramdisk/command-line.ts";
import type { Session } from "../ramdisk/session.ts";
import type { StepContext } from "../steps/step-context.ts";
import type { Draft } from "./draft-report.ts";
import { freeModules } from "./free-modules.ts";
import { findOldRoot, mountReadOnly, protectDisks, releaseOldRoot, type OldRoot } from "./old-root.ts";
import {
  copyStashToMemory,
  findStash,
  hasStashInMemory,
  openStashInMemory,
  type TakenStash,
} from "./take-stash.ts";

const keysFile = "/usr/lib/dualroot/keys.json";

/** Everything before the first write: take the stash to memory, verify it, look at the machine, check, plan. */
export async function prepare(
  session: Session,
  draft: Draft,
  onOldRoot: (oldRoot: OldRoot) => void,
): Promise<StepContext> {
  const { run, report, logFile } = session;
  const { place, stashSha256 } = stashWords(session.words);
  let measured: ReadonlyMap<string, string> | undefined;
  if (!(await hasStashInMemory())) {
    measured = await reportStep(
      report,
      { step: "take-stash", title: "Take the package to memory" },
      async () => {
        const oldRoot = await findOldRoot(run, place.filesystemUuid);
        onOldRoot(oldRoot);
        const top = await mountReadOnly(run, oldRoot);
        const found = await findStash(join(top, place.folder), stashSha256);
        await freeModules(session, found.manifest);
        const digests = await copyStashToMemory(found, report);
        await releaseOldRoot(run, oldRoot);
        return digests;
      },
    );
  }
  const taken = await openStashInMemory(stashSha256);
  const { manifest } = await verify(session, taken, measured);
  draft.release = `${manifest.name} ${manifest.version}`;
  const plan = await reportStep(report, { step: "plan", title: "Look at the machine and plan" }, () =>
    look(session, taken.packageFolder, manifest, draft.diskChanged ? withoutTable(taken.stash) : taken.stash),
  );
  const { notes } = draft;
  const draftReport = (): ReturnType<Draft["report"]> => draft.report("converted");
  return {
    run,
    report,
    runtimeFolder: "/",
    manifest,
    ...taken,
    plan,
    notes,
    changed: [],
    logFile,
    draftReport,
  };
}

function stashWords({ stash, stashSha256 }: RamdiskWords): {
  place: NonNullable<typeof stash>;
  stashSha256: string;
} {
  if (stash && stashSha256) return { place: stash, stashSha256 };
  throw userError({
    code: "stash-word-missing",
    message: "The kernel command line names no stash (dualroot.stash=, dualroot.stash_sha256=).",
    hint: "Start the conversion with upgrade.sh, which writes it.",
  });
}

/** On the copy in memory, which is what will be used: signature, then every digest, measured as the copy was written. */
async function verify(
  { report }: Session,
  { packageFolder, stash }: TakenStash,
  measured: ReadonlyMap<string, string> | undefined,
): Promise<VerifiedPackage> {
  const { keys } = trustedKeysSchema.parse(JSON.parse(await readFile(keysFile, "utf8")));
  return reportStep(report, { step: "verify-package", title: "Verify the package" }, () =>
    verifyPackage(packageFolder, keys, {
      allowDevelopmentKeys: stash.trust.role === "dev",
      ...(measured ? { measured } : {}),
      onProgress: (done, total) =>
        report({ kind: "progress", step: "verify-package", done, total, unit: "bytes" }),
    }),
  );
}

async function look(
  { run, report }: Session,
  packageFolder: string,
  manifest: VerifiedPackage["manifest"],
  stash: Stash,
): Promise<ConversionPlan> {
  // From here on the disks show whether they themselves are read-only; nothing writes before the first step that says so.
  await protectDisks(run, false);
  const facts = await gatherFacts({ run });
  report({ kind: "detail", message: `facts: ${JSON.stringify(facts)}` });
  const template = decodeSgdiskBackup(await readFile(join(packageFolder, packageFiles.partitionTable)));
  const options = { packageInMemory: true };
  const failures = failuresOf(runChecks({ stage: "ramdisk", manifest, facts, stash, template, options }));
  if (failures.length > 0) throw new UserError(failures, "refused");
  const plan = planConversion({ manifest, facts, stash, template });
  report({ kind: "detail", message: `plan: ${JSON.stringify(plan)}` });
  return plan;
}

/** A first run has wiped the table that stage 1 saw; size and serial number remain. */
function withoutTable(stash: Stash): Stash {
  const { tableId: _, ...disk } = stash.disk;
  return { ...stash, disk };
}
