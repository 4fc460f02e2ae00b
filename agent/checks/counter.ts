import type { PermitFacts } from "../package/read-permit.ts";
import { fail, type Check, type Outcome } from "./check.ts";

export interface CounterQuestion {
  manifest: { name: string; version: string; counter: number };
  /** Of the exact bytes of manifest.json; without it no permit fits. */
  manifestSha256?: string | undefined;
  /** The highest counter that was ever committed on this gateway. */
  counterFloor?: number | undefined;
  /** What lies beside the package as its permit. */
  permit?: PermitFacts | undefined;
}

/** Anti-rollback: no release older than what was committed here, unless a permit names this very package. */
export function judgeCounter({ manifest, manifestSha256, counterFloor, permit }: CounterQuestion): Outcome {
  const { name, version, counter } = manifest;
  if (counterFloor === undefined) return `${counter}; nothing was committed here yet`;
  if (counter >= counterFloor) return `${counter}, this gateway asks for ${counterFloor} or more`;
  const below = `The counter of ${name} ${version} is ${counter}, and this gateway has had a release with ${counterFloor}`;
  if (permit === undefined) {
    return [
      fail({
        code: "counter-too-low",
        message: `${below}: older releases are refused.`,
        hint: "Use a newer release, or ask your supplier for a permit (`dualroot permit`) and put its two files beside the package.",
      }),
    ];
  }
  const fault = faultOf(permit, manifestSha256);
  if (fault === undefined)
    return `${counter} is below ${counterFloor}, which key ${"keyId" in permit ? permit.keyId : ""} permits for this package`;
  return [
    fail({
      code: "permit-invalid",
      message: `${below}; the permit beside the package does not help: ${fault}.`,
      hint: "Fetch the permit for this very package again from your supplier, or use a newer release.",
      where: "permit.json",
    }),
  ];
}

function faultOf(permit: PermitFacts, manifestSha256: string | undefined): string | undefined {
  if ("fault" in permit) return permit.fault;
  return permit.manifestSha256 === manifestSha256 ? undefined : "it is for another package";
}

/** In the ramdisk it is settled: the permit stays behind with the package's folder. */
export const counter: Check = {
  name: "counter",
  title: "Anti-rollback",
  run: ({ stage, manifest, manifestSha256, facts, permit }) =>
    stage === "ramdisk"
      ? undefined
      : judgeCounter({ manifest, manifestSha256, counterFloor: facts.counterFloor, permit }),
};
