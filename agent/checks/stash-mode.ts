import { UserError } from "../../format/errors.ts";
import { formatSize, MiB } from "../../format/sizes.ts";
import { loaderBytes, stashFolder } from "../../format/stash.ts";
import type { DiskFacts, Facts, RootFacts } from "../facts/facts.ts";
import { mountHolding } from "../facts/parse-proc.ts";
import { planConversion } from "../plan/conversion-plan.ts";
import { describeForStash } from "../plan/find-disk.ts";
import { freeLayoutBytes } from "../plan/judge-stash-ranges.ts";
import type { ConversionPlan } from "../plan/step.ts";
import type { CheckContext } from "./check.ts";
import { packageBytes } from "./package-bytes.ts";

/** `disk`: the stash lies in known places of the disk, and a power cut costs time only. `ram`: the package goes to memory. */
export type StashMode = "disk" | "ram";

export interface StashModeChoice {
  mode: StashMode;
  /** Why not on the disk; empty when it is. */
  against: string[];
}

/** Logs, stash.json, filesystem structures, and what the old system itself writes meanwhile. */
export const stashMarginBytes = 64 * MiB;
/** stash.json: room for some thousand ranges. */
export const stashJsonBytes = 256 * 1024;
/** Files begin and end in the middle of extents. */
const lostExtents = 4;
const kinds = ["xfs", "ext4"];

/** On the disk wherever it can be: what is known before anything was allocated. */
export function chooseStashMode(context: CheckContext): StashModeChoice {
  const { facts, manifest, options, disk } = context;
  if (options.stash === "ram") return { mode: "ram", against: ["--stash ram was given"] };
  const against = [
    ...(options.againstDisk ?? []),
    ...(disk ? againstFilesystem(facts, disk) : ["the disk is not known"]),
  ];
  const bytes = stashBytes(context);
  const needs = bytes + stashMarginBytes;
  if (facts.stashFreeBytes < needs)
    against.push(
      `it needs ${formatSize(needs)} on the old filesystem, ${formatSize(facts.stashFreeBytes)} are free`,
    );
  const plan = trialPlan(context);
  const free = plan ? freeLayoutBytes(plan) : 0;
  const wanted = bytes + lostExtents * manifest.layout.extentBytes;
  if (plan && free < wanted)
    against.push(
      `the new layout leaves ${formatSize(free)} of the disk free, it needs ${formatSize(wanted)}`,
    );
  return { mode: against.length === 0 ? "disk" : "ram", against };
}

/** What a place on the disk can be followed through. */
export function isPlainLayer(layer: RootFacts["stack"][number]): boolean {
  return layer === "lvm-linear" || layer === "partition" || layer === "disk";
}

/** Package, preserved files, resume loader and stash.json. */
export function stashBytes({ manifest, options }: Pick<CheckContext, "manifest" | "options">): number {
  return packageBytes(manifest) + (options.preservedBytes ?? 0) + loaderBytes + stashJsonBytes;
}

/** The plan without a stash on the disk; none when there is none, which another check tells. */
export function trialPlan(context: CheckContext): ConversionPlan | undefined {
  const { manifest, facts, template, disk } = context;
  // No seed exists on the old system; any will do to see how much room there is.
  const stash =
    context.stash ?? (disk && { disk: describeForStash(disk), seed: "0".repeat(32), consoles: [] });
  if (!stash) return undefined;
  try {
    return planConversion({ manifest, facts, stash, ...(template ? { template } : {}) });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** FIEMAP tells places in the filesystem's device, which must be one stretch after the other of the disk to convert. */
function againstFilesystem(facts: Facts, disk: DiskFacts): string[] {
  const mount = mountHolding(facts.mounts, stashFolder);
  if (!mount) return [`no filesystem holds ${stashFolder}`];
  const against: string[] = [];
  if (!kinds.includes(mount.type)) against.push(`the filesystem of ${stashFolder} is ${mount.type}`);
  if (/(^|,)data=journal(,|$)/.test(mount.superOptions ?? ""))
    against.push(`the filesystem of ${stashFolder} keeps data in its journal`);
  const stack = mount.stack ?? (mount.target === "/" ? facts.root?.stack : undefined) ?? [];
  if (stack.length === 0 || !stack.every(isPlainLayer))
    against.push(`${stashFolder} is on no plain partition or linear volume`);
  if (mount.disks?.join() !== disk.name) against.push(`${stashFolder} is on another disk`);
  return against;
}
