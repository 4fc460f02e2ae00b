import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Identity } from "../../format/identity.ts";
import { packageFiles } from "../../format/manifest.ts";
import { decodeSgdiskBackup, type PlannedTable } from "../../format/partition-table.ts";
import type { Stash } from "../../format/stash.ts";
import type { CheckInput } from "../checks/check.ts";
import { checkContext, runChecks, type CheckResult } from "../checks/run-checks.ts";
import { chooseStashMode, type StashModeChoice } from "../checks/stash-mode.ts";
import { gatherFacts } from "../facts/gather-facts.ts";
import type { Facts } from "../facts/facts.ts";
import { mountHolding } from "../facts/parse-proc.ts";
import { captureIdentity } from "../identity/capture.ts";
import { observeNetwork } from "../identity/observe-network.ts";
import { describeOldSystem } from "../old-system/describe-old-system.ts";
import { leftOutBytes } from "../old-system/left-out-bytes.ts";
import { readPermit } from "../package/read-permit.ts";
import type { VerifiedPackage } from "../package/verify-package.ts";
import { planConversion, type PlanInput } from "../plan/conversion-plan.ts";
import { describeForStash } from "../plan/find-disk.ts";
import type { ConversionPlan } from "../plan/step.ts";
import { readBounded } from "../system/files.ts";
import { reclaimableBytes } from "../system/reclaimable-bytes.ts";
import { consoleWords } from "./boot/command-line.ts";
import type { StageOneContext } from "./context.ts";
import { judgeIdentityProblems } from "./identity-verdicts.ts";
import { readTrustedKeys, type KeyRing } from "./trusted-keys.ts";
import { verifyAndLook } from "./verify-and-look.ts";

/** Everything known about package and gateway before anything is changed. */
export interface Survey extends VerifiedPackage {
  release: string;
  keyRing: KeyRing;
  facts: Facts;
  identity: Identity;
  checks: CheckResult[];
  /** What the checks judged, so that they can be asked again. */
  checkInput: CheckInput;
  /** Where the stash is expected to lie; allocating it has the last word. */
  stashMode: StashModeChoice;
  /** What stage 2 will plan with; the same plan is printed by --dry-run. */
  planned: Pick<Stash, "disk" | "seed" | "consoles" | "oldSystem">;
}

/** Verifies the package, looks at the gateway, and checks one against the other. Writes nothing. */
export async function surveyGateway(context: StageOneContext): Promise<Survey> {
  const { args, places, run } = context;
  const keyRing = await readTrustedKeys(places.root, args.runtimeFolder);
  const { verified, looked } = await verifyAndLook(context, keyRing, async () => {
    const facts = await gatherFacts({ run, root: places.root });
    // What an earlier attempt has left is removed before anything is written.
    facts.stashFreeBytes += await reclaimableBytes(places.stash);
    for (const [folder, bytes] of await leftOutBytes(places.root)) {
      const mount = mountHolding(facts.mounts, folder);
      if (mount?.usedBytes !== undefined) mount.usedBytes -= Math.min(bytes, mount.usedBytes);
    }
    const { identity, problems } = await captureIdentity(places.root, { interfaces: facts.interfaces });
    return { facts, problems, identity: { ...identity, ...(await observeNetwork(identity)) } };
  });
  const { facts, identity, problems } = looked;
  const { manifest } = verified;
  const permit = await readPermit(args.packageFolder, keyRing.keys);
  const template = await readTemplate(args.packageFolder);
  const checkInput: CheckInput = {
    stage: "old-system",
    manifest,
    facts,
    manifestSha256: verified.manifestSha256,
    ...(permit ? { permit } : {}),
    ...(template ? { template } : {}),
    identity,
    identityProblems: judgeIdentityProblems(problems),
    options: {
      boot: args.boot,
      stash: args.stash,
      rehearse: args.rehearse,
      acceptPowerRisk: args.acceptPowerRisk,
      acceptDataLoss: args.acceptDataLoss,
      ...(args.compatible === undefined ? {} : { compatible: args.compatible }),
    },
  };
  const checks = runChecks(checkInput);
  const stashMode = chooseStashMode(checkContext(checkInput));
  // The checks refuse a root filesystem on no disk, or on several.
  const disk = facts.disks.find(({ name }) => name === facts.root?.disks[0]);
  const oldSystem = await describeOldSystem({ manifest, facts, run });
  const planned = {
    ...(oldSystem ? { oldSystem } : {}),
    disk: disk ? describeForStash(disk) : { name: "unknown", sizeBytes: 1 },
    seed: randomBytes(16).toString("hex"),
    consoles: consoleWords(facts.kernelCommandLine),
  };
  const release = `${manifest.name} ${manifest.version}`;
  return { ...verified, release, keyRing, facts, identity, checks, checkInput, stashMode, planned };
}

/** The plan stage 2 will make of the same facts, where the stash is not in its way. Throws a refusal when the layout does not fit. */
export function planFromSurvey(survey: Survey): ConversionPlan {
  return planConversion(planInputOf(survey));
}

export function planInputOf({ manifest, facts, planned, checkInput, stashMode }: Survey): PlanInput {
  const { template } = checkInput;
  return {
    manifest,
    facts,
    stash: planned,
    oldSystem: "capture",
    power: stashMode.mode === "disk" ? "arm" : "place",
    stashFiles: manifest.files.map(({ name, size }) => ({ name, sizeBytes: size })),
    ...(template ? { template } : {}),
  };
}

async function readTemplate(packageFolder: string): Promise<PlannedTable | undefined> {
  const bytes = await readBounded(join(packageFolder, packageFiles.partitionTable), 1024 * 1024);
  return bytes && decodeSgdiskBackup(bytes);
}
