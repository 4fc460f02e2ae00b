import type { Identity } from "../../../format/identity.ts";
import type { Manifest } from "../../../format/manifest.ts";
import type { RefusalCode } from "../../../format/refusal-codes.ts";
import type { Problem } from "../../../format/errors.ts";
import type { Finding, IdentityProblem, Outcome } from "../../checks/check.ts";
import type { Facts } from "../../facts/facts.ts";
import type { InstallFacts, SlotVolume } from "../facts/install-facts.ts";

/** What every check of an upgrade sees. */
export interface InstallCheckContext {
  /** `adopt`: another program has marked the slot bad, and activates it afterwards. */
  purpose: "install" | "adopt";
  manifest: Manifest;
  manifestSha256: string;
  facts: Facts;
  install: InstallFacts;
  /** The slot that would be written, where it is known. */
  other?: SlotVolume;
  identity: Pick<Identity, "interfaces">;
  /** What of it could not be read or carried, judged. */
  identityProblems: readonly IdentityProblem[];
  options: InstallCheckOptions;
}

export interface InstallCheckOptions {
  /** `--accept-unhealthy`: the running slot is not healthy, and the upgrade may be what mends it. */
  acceptUnhealthy?: boolean;
  /** `--compatible WORD` */
  compatible?: string;
}

/** A sentence when all is well, findings when not, undefined when the question does not arise. Pure. */
export interface InstallCheck {
  name: string;
  title: string;
  run: (context: InstallCheckContext) => Outcome;
}

export function refuse(problem: Problem & { code: RefusalCode }): Finding[] {
  return [{ ...problem, verdict: "fail" }];
}

export function warnAbout(problem: Problem & { code: RefusalCode }): Finding[] {
  return [{ ...problem, verdict: "warn" }];
}
