import type { Problem } from "../../format/errors.ts";
import type { DiskFacts } from "../facts/facts.ts";
import { findDisk } from "../plan/find-disk.ts";
import { bootMethod, secureBoot } from "./boot-method.ts";
import type { Check, CheckContext, CheckInput, Outcome } from "./check.ts";
import { compatible } from "./compatible.ts";
import { counter } from "./counter.ts";
import { dataLoss } from "./data-loss.ts";
import { disk } from "./disk.ts";
import { drivers } from "./drivers.ts";
import { identity } from "./identity.ts";
import { keepOldSystem } from "./keep-old-system.ts";
import { layout, volumeGroup } from "./layout.ts";
import { architecture, firmware, notConverted, rootUser } from "./machine.ts";
import { powerCut } from "./power-cut.ts";
import { rootFilesystem, rootStack } from "./root-stack.ts";
import { memory, stashSpace } from "./space.ts";

/** One row of the table that `check` prints. */
export interface CheckResult {
  /** Name of the check when it passes, else the refusal's code (docs/refusals.md). */
  code: string;
  title: string;
  verdict: "pass" | "warn" | "fail";
  /** What was found, or the refusal's sentence. */
  detail: string;
  hint?: string;
  where?: string;
}

/** In the order a person reads them. Adding a check is adding it here. */
export const checks: readonly Check[] = [
  rootUser,
  architecture,
  firmware,
  secureBoot,
  notConverted,
  compatible,
  counter,
  rootStack,
  rootFilesystem,
  disk,
  layout,
  volumeGroup,
  dataLoss,
  drivers,
  memory,
  stashSpace,
  bootMethod,
  powerCut,
  keepOldSystem,
  identity,
];

/** All checks that apply at this stage; a row for each, or one for each finding. Decides nothing beyond the verdicts. */
export function runChecks(input: CheckInput): CheckResult[] {
  const context = checkContext(input);
  return checks.flatMap((check) => rowsOf(check, check.run(context)));
}

export function checkContext(input: CheckInput): CheckContext {
  const disk = diskToConvert(input);
  return { ...input, ...(disk ? { disk } : {}) };
}

/** The failed rows as problems, for a UserError. */
export function failuresOf(results: readonly CheckResult[]): Problem[] {
  return results
    .filter((result) => result.verdict === "fail")
    .map(({ code, detail, hint, where }) => ({
      code,
      message: detail,
      hint: hint ?? "",
      ...(where === undefined ? {} : { where }),
    }));
}

/** One row when all is well, one for each finding when not, none when the question did not arise. */
export function rowsOf({ name, title }: Pick<Check, "name" | "title">, outcome: Outcome): CheckResult[] {
  if (outcome === undefined) return [];
  if (typeof outcome === "string") return [{ code: name, title, verdict: "pass", detail: outcome }];
  return outcome.map(({ code, message, hint, where, verdict }) => ({
    code,
    title,
    verdict,
    detail: message,
    hint,
    ...(where === undefined ? {} : { where }),
  }));
}

/** The one disk below the root filesystem; in the ramdisk the one stage 1 wrote down. None: another check says why. */
function diskToConvert({ facts, stash, stage }: CheckInput): DiskFacts | undefined {
  if (stage === "ramdisk") {
    const found = stash && findDisk(stash, facts.disks);
    return found && "disk" in found ? found.disk : undefined;
  }
  const [name, another] = facts.root?.disks ?? [];
  return another === undefined ? facts.disks.find((candidate) => candidate.name === name) : undefined;
}
