import type { Problem } from "../../format/errors.ts";
import type { IdentityProblem } from "../checks/check.ts";

/** What the gateway can do without on the first day; a person reads the warning and acts. Anything else could cost its address. */
const warnings: readonly string[] = [
  "several-network-sources",
  "network-setting-not-carried",
  "network-match-unresolved",
  "interface-not-active",
  "ssh-setting-not-carried",
  "sudo-rule-not-carried",
  "sudo-setting-not-carried",
  "account-line-malformed",
  "account-not-carried",
];

/** Says which findings about the identity stop a conversion: all that are not known to be harmless. */
export function judgeIdentityProblems(problems: readonly Problem[]): IdentityProblem[] {
  return problems.map((problem) => ({
    ...problem,
    verdict: warnings.includes(problem.code) ? "warn" : "fail",
  }));
}
