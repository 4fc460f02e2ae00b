import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../format/errors.ts";
import { reportStep } from "../../format/events.ts";
import { packageFiles } from "../../format/manifest.ts";
import { decodeSgdiskBackup } from "../../format/partition-table.ts";
import { trustedKeysSchema } from "../../format/signature.ts";
import { failuresOf, runChecks } from "../checks/run-checks.ts";
import { gatherFacts } from "../facts/gather-facts.ts";
import { verifyPackage, verifySignedManifest, type VerifiedPackage } from "../package/verify-package.ts";
import { planConversion, type PlanInput } from "../plan/conversion-plan.ts";
import type { ConversionPlan } from "../plan/step.ts";
import type { Session } from "../ramdisk/session.ts";
import type { PointOfNoReturn, StepContext } from "../steps/step-context.ts";
import { leftOut, type Safeguard } from "../system/safeguards.ts";
import type { Draft } from "./draft-report.ts";
import { freeModules } from "./free-modules.ts";
import { protectDisks } from "./old-root.ts";
import { capturedSystem, planInputFrom } from "./plan-input.ts";
import { claimedDigests, measureOnDisk } from "./take-from-disk.ts";
import type { StashSource } from "./take-stash.ts";

const keysFile = "/usr/lib/dualroot/keys.json";

/** Everything before the first write: verify the stash, look at the machine, check, plan. */
export async function prepare(
  session: Session,
  { taken, measured }: StashSource,
  draft: Draft,
  noReturn: PointOfNoReturn,
): Promise<StepContext> {
  const { run, report, logFile, words } = session;
  const { verified, without } = await verify(session, { taken, measured });
  const { manifest } = verified;
  draft.release = `${manifest.name} ${manifest.version}`;
  await freeModules(session, manifest, taken.stash);
  const oldSystem = capturedSystem(words, taken);
  const { diskChanged } = draft;
  const input = planInputFrom({ manifest, words, taken, isDiskChanged: diskChanged, without });
  const plan = await reportStep(report, { step: "plan", title: "Look at the machine and plan" }, () =>
    look(session, taken.packageFolder, input),
  );
  if (input.power === "place" && !plan.steps.some(({ kind }) => kind === "arm-resume-loader")) {
    session.tell(
      "WARNING: the new layout has no room for the package: until the new system starts, a power cut loses this gateway.",
    );
  }
  const { notes } = draft;
  const draftReport = (): ReturnType<Draft["report"]> => draft.report("converted");
  return {
    run,
    report,
    runtimeFolder: "/",
    manifest,
    ...taken,
    ...(oldSystem ? { oldSystem } : {}),
    words,
    without,
    noReturn,
    plan,
    notes,
    changed: [],
    written: new Map(),
    logFile,
    draftReport,
  };
}

/** On what will be used, in memory or on the disk: signature first, then every digest. */
async function verify(
  { report, tell, words }: Session,
  { taken, measured }: StashSource,
): Promise<{ verified: VerifiedPackage; without: ReadonlySet<Safeguard> }> {
  const { keys } = trustedKeysSchema.parse(JSON.parse(await readFile(keysFile, "utf8")));
  const { packageFolder, stash, place } = taken;
  const allowDevelopmentKeys = stash.trust.role === "dev";
  return reportStep(report, { step: "verify-package", title: "Verify the package" }, async () => {
    const { key } = await verifySignedManifest(packageFolder, keys, { allowDevelopmentKeys });
    const without = leftOut(words.without, key.role, tell);
    const measuredThere = place
      ? without.has("verify-stash")
        ? claimedDigests(taken)
        : await measureOnDisk(taken, report)
      : measured;
    const verified = await verifyPackage(packageFolder, keys, {
      allowDevelopmentKeys,
      ...(measuredThere ? { measured: measuredThere } : {}),
    });
    return { verified, without };
  });
}

async function look(
  { run, report, words }: Session,
  packageFolder: string,
  input: Omit<PlanInput, "facts" | "template">,
): Promise<ConversionPlan> {
  // From here on the disks show whether they themselves are read-only; nothing writes before the first step that says so.
  await protectDisks(run, false);
  const facts = await gatherFacts({ run });
  report({ kind: "detail", message: `facts: ${JSON.stringify(facts)}` });
  const template = decodeSgdiskBackup(await readFile(join(packageFolder, packageFiles.partitionTable)));
  const { manifest, stash, reserved = [] } = input;
  const options = { packageInMemory: true, resumed: words.resume };
  const failures = failuresOf(
    runChecks({ stage: "ramdisk", manifest, facts, stash, template, reserved, options }),
  );
  if (failures.length > 0) throw new UserError(failures, "refused");
  const plan = planConversion({ ...input, facts, template });
  report({ kind: "detail", message: `plan: ${JSON.stringify(plan)}` });
  return plan;
}
