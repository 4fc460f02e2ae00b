import type { Identity } from "../../format/identity.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { ConversionReport } from "../../format/report.ts";
import type { Stash } from "../../format/stash.ts";
import type { Reporter } from "../../format/events.ts";
import type { ConversionPlan } from "../plan/step.ts";
import type { RamdiskWords } from "../ramdisk/command-line.ts";
import type { StashPlace } from "../stash/stash-place.ts";
import type { StoredFile } from "../stash/stored-file.ts";
import type { Run } from "../system/run.ts";
import type { Safeguard } from "../system/safeguards.ts";

/** Whoever decides what follows a failure must know how far it got. Each may be called again. */
export interface PointOfNoReturn {
  /** Right before the first write outside the stash. */
  diskChanged: () => void;
  /** Right before the write of sector 0 that makes the disk boot the resume loader with this kernel command line. */
  armed: (commandLine: string) => void;
  /** That write failed, and sector 0 reads as before. */
  notArmed: () => void;
}

/** What a step may use that fills a slot, in a conversion and in an upgrade. */
export interface SlotContext {
  run: Run;
  report: Reporter;
  /** A file of the package by its name, verified: on the disk, or in memory (ram mode). Throws when there is none. */
  stored: (name: string) => StoredFile;
  /** Safeguards a test leaves out; empty otherwise. */
  without: ReadonlySet<Safeguard>;
  /** Top of the ramdisk's own files: `/` in the ramdisk, so keys are at `${runtimeFolder}/usr/lib/dualroot/keys.json`. */
  runtimeFolder: string;
  manifest: Manifest;
  identity: Identity;
  /** Path of preserved.tar. */
  preservedTar: string;
  /** Sentences for the report; steps append. */
  notes: string[];
  /** Paths inside the target that a step made differ from the package on purpose; steps append, verify-target asks. */
  changed: string[];
  /** SHA-256 of what steps wrote beside the package's own files, by absolute path, one character a byte: see recordWritten. */
  written: Map<string, string>;
}

/** What every step of a conversion may use beside its own arguments. Steps look nothing else up. */
export interface StepContext extends SlotContext {
  /** The archive of the old system once it is complete: set by its capture, or from the resume loader's words. */
  oldSystem?: StoredFile;
  /** Set once slot B holds the old system, adapted and read back: GRUB may boot it. */
  isOldSystemRestored?: boolean;
  /** Where stash.json lies on the disk; absent as long as the stash is in memory only. */
  place?: StashPlace;
  /** Kernel command line of the ramdisk that runs now, parsed. */
  words: RamdiskWords;
  noReturn: PointOfNoReturn;
  stash: Stash;
  plan: ConversionPlan;
  /** The log so far, copied to the target by save-report. */
  logFile: string;
  /** The report as it would read now; save-report writes it with the identity table filled in. */
  draftReport: () => ConversionReport;
}
