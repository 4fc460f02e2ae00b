import { randomBytes } from "node:crypto";
import type { Identity } from "../../format/identity.ts";
import type { CheckResult } from "../checks/run-checks.ts";
import type { Facts } from "../facts/facts.ts";
import { gatherFacts } from "../facts/gather-facts.ts";
import { captureIdentity } from "../identity/capture.ts";
import { runInstallChecks } from "../install/checks/run-install-checks.ts";
import type { InstallFacts } from "../install/facts/install-facts.ts";
import { gatherInstallFacts } from "../install/facts/gather-install-facts.ts";
import { planInstall } from "../install/plan/install-plan.ts";
import type { InstallPlan } from "../install/plan/install-step.ts";
import type { VerifiedPackage } from "../package/verify-package.ts";
import { consoleWords } from "./boot/command-line.ts";
import type { StageOneContext } from "./context.ts";
import { judgeIdentityProblems } from "./identity-verdicts.ts";
import { readTrustedKeys, type KeyRing } from "./trusted-keys.ts";
import { verifyAndLook } from "./verify-and-look.ts";

/** Everything known about package and dual system before anything is changed. */
export interface InstallSurvey extends VerifiedPackage {
  release: string;
  keyRing: KeyRing;
  facts: Facts;
  install: InstallFacts;
  identity: Identity;
  checks: CheckResult[];
}

/** Verifies the package, looks at both slots, and checks one against the other. Writes nothing. */
export async function surveyInstall(
  context: StageOneContext,
  purpose: InstallPlan["purpose"] = "install",
): Promise<InstallSurvey> {
  const { args, places, run } = context;
  const { root } = places;
  const keyRing = await readTrustedKeys(root, args.runtimeFolder);
  const { verified, looked } = await verifyAndLook(
    context,
    keyRing,
    async () => {
      const facts = await gatherFacts({ run, root });
      const { packageFolder } = args;
      const install = await gatherInstallFacts({ run, facts, packageFolder, keys: keyRing.keys, root });
      return { facts, install, ...(await captureIdentity(root, { interfaces: facts.interfaces })) };
    },
    // The other program has marked the slot bad, and activates it only when all went well: there is nothing to lose by
    // finding a damaged file as late as when it is unpacked, and a whole reading of the package to win, twice.
    purpose === "adopt" ? "when-used" : "now",
  );
  const { facts, install, identity, problems } = looked;
  const { manifest, manifestSha256 } = verified;
  const other = install.slots.find(({ slot }) => slot !== install.running);
  const checks = runInstallChecks({
    purpose,
    manifest,
    manifestSha256,
    facts,
    install,
    ...(other ? { other } : {}),
    identity,
    identityProblems: judgeIdentityProblems(problems),
    options: {
      acceptUnhealthy: args.acceptUnhealthy,
      ...(args.compatible === undefined ? {} : { compatible: args.compatible }),
    },
  });
  return {
    ...verified,
    release: `${manifest.name} ${manifest.version}`,
    keyRing,
    facts,
    install,
    identity,
    checks,
  };
}

export function planFromInstallSurvey(
  { manifest, facts, install }: InstallSurvey,
  who: { purpose: InstallPlan["purpose"]; installedBy: "upgrade" | "rauc" } = {
    purpose: "install",
    installedBy: "upgrade",
  },
): InstallPlan {
  const seed = randomBytes(16).toString("hex");
  const consoles = consoleWords(facts.kernelCommandLine);
  return planInstall({ manifest, facts, install, seed, consoles, ...who });
}
