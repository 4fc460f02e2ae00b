import type { Identity } from "../../format/identity.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { ConversionReport } from "../../format/report.ts";
import type { Stash } from "../../format/stash.ts";
import type { Reporter } from "../../format/events.ts";
import type { ConversionPlan } from "../plan/step.ts";
import type { Run } from "../system/run.ts";

/** What every step may use beside its own arguments. Steps look nothing else up. */
export interface StepContext {
  run: Run;
  report: Reporter;
  /** The verified package in memory, `/run/dualroot/package`. */
  packageFolder: string;
  /** Top of the ramdisk's own files: `/` in the ramdisk, so keys are at `${runtimeFolder}/usr/lib/dualroot/keys.json`. */
  runtimeFolder: string;
  manifest: Manifest;
  stash: Stash;
  identity: Identity;
  /** Path of preserved.tar in memory. */
  preservedTar: string;
  plan: ConversionPlan;
  /** Sentences for the report; steps append. */
  notes: string[];
  /** Paths inside the target that a step made differ from the package on purpose; steps append, verify-target asks. */
  changed: string[];
  /** The log so far, copied to the target by save-report. */
  logFile: string;
  /** The report as it would read now; save-report writes it with the identity table filled in. */
  draftReport: () => ConversionReport;
}
