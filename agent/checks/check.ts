import type { Problem } from "../../format/errors.ts";
import type { Identity } from "../../format/identity.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { PlannedTable } from "../../format/partition-table.ts";
import type { RefusalCode } from "../../format/refusal-codes.ts";
import type { Stash } from "../../format/stash.ts";
import type { DiskFacts, Facts } from "../facts/facts.ts";
import type { PermitFacts } from "../package/read-permit.ts";
import type { WantedDisk } from "../plan/find-disk.ts";
import type { ByteRange } from "../plan/step.ts";

/** Checks run twice: on the old system before anything is saved, and in the ramdisk before the first write. */
export type Stage = "old-system" | "ramdisk";

export interface CheckOptions {
  /** `--compatible WORD`: what the operator says this gateway is. */
  compatible?: string;
  /** `--accept-data-loss`: filesystems beside the root may go. */
  acceptDataLoss?: boolean;
  /** `--boot`. */
  boot?: "kexec" | "grub" | "auto";
  /** `--stash`. */
  stash?: "auto" | "disk" | "ram";
  /** `--accept-power-risk`: a power cut in ram mode may cost the gateway. */
  acceptPowerRisk?: boolean;
  /** `--rehearse`: nothing will be written after the stash. */
  rehearse?: boolean;
  /** Why the stash cannot lie on the disk after all, found out by trying. */
  againstDisk?: readonly string[];
  /** Size of preserved.tar where it is known already. */
  preservedBytes?: number;
  /** In the ramdisk: the package has been taken to memory, so it needs no more room. */
  packageInMemory?: boolean;
  /** In the ramdisk: the disk is being converted already, so what is still on it must not stop that. */
  resumed?: boolean;
}

export interface CheckInput {
  stage: Stage;
  manifest: Manifest;
  facts: Facts;
  /** The ramdisk has it; on the old system it does not exist yet, and the disk is the one below the root filesystem. */
  stash?: WantedDisk & Pick<Stash, "consoles">;
  /** On the old system: of the exact bytes of manifest.json. */
  manifestSha256?: string;
  /** On the old system: what lies beside the package as its permit. */
  permit?: PermitFacts;
  /** The package's partition table, decoded. */
  template?: PlannedTable;
  /** Bytes of the disk that must stay as they are; none in ram mode. */
  reserved?: readonly ByteRange[];
  /** What was read of the old system's identity, and what could not be. Not in the ramdisk: there it is settled. */
  identity?: Pick<Identity, "interfaces">;
  identityProblems?: readonly IdentityProblem[];
  options: CheckOptions;
}

/** Who reads the identity says what weighs how much; without a verdict it fails. */
export interface IdentityProblem extends Problem {
  verdict?: "warn" | "fail";
}

/** What every check sees: the input, and the disk to convert where it is known. */
export interface CheckContext extends CheckInput {
  disk?: DiskFacts;
}

export interface Finding extends Problem {
  verdict: "warn" | "fail";
}

/** A sentence when all is well, findings when not, undefined when the question does not arise at this stage. */
export type Outcome = string | readonly Finding[] | undefined;

export interface Check {
  /** Code of the row when all is well. */
  name: string;
  title: string;
  run: (context: CheckContext) => Outcome;
}

export function fail(problem: Problem & { code: RefusalCode }): Finding {
  return { ...problem, verdict: "fail" };
}

export function warn(problem: Problem & { code: RefusalCode }): Finding {
  return { ...problem, verdict: "warn" };
}
