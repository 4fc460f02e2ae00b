import type { Problem } from "../../format/errors.ts";

/** Findings after which the new system might not be reachable under its old addresses; all others lose a detail. */
const refusals: ReadonlySet<string> = new Set([
  "interface-kind-not-carried",
  "interface-not-configured",
  "interface-card-unknown",
  "network-source-unknown",
]);

/** For stage 1's table: does a finding of captureIdentity refuse the conversion or warn about it? */
export function identityProblemSeverity(problem: Problem): "refuse" | "warn" {
  return refusals.has(problem.code) ? "refuse" : "warn";
}
