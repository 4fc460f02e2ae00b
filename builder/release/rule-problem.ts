import type { Problem } from "../../format/errors.ts";

export interface RuleProblem extends Problem {
  /** Key in release.yaml. */
  path: PropertyKey[];
}
