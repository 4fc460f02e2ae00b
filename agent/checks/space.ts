import { formatSize, formatSizePair, MiB } from "../../format/sizes.ts";
import { roomForOldSystem } from "../old-system/plan-old-system.ts";
import { fail, warn, type Check, type CheckContext, type Finding } from "./check.ts";
import { packageBytes } from "./package-bytes.ts";
import { workingBytes } from "./ramdisk-memory.ts";
import { chooseStashMode, stashBytes, stashMarginBytes } from "./stash-mode.ts";

/** Below this much to spare the table warns. */
const comfortBytes = 64 * MiB;

/** For the ramdisk, and in ram mode for the whole package beside it. */
export const memory: Check = {
  name: "memory",
  title: "Memory",
  run: (context) => {
    const { stage, facts, manifest } = context;
    const inRamdisk = stage === "ramdisk";
    const has = inRamdisk ? facts.memory.availableBytes : facts.memory.totalBytes;
    const held = heldBytes(context);
    const needs = held + (inRamdisk ? workingBytes : manifest.requirements.ramdiskBytes);
    const [hasText, needsText] = formatSizePair(has, needs);
    const parts = `${formatSize(held)} for the package, ${formatSize(needs - held)} for the ramdisk`;
    if (has < needs) {
      return [
        fail({
          code: "memory-too-small",
          message: `The conversion needs ${needsText} of memory (${parts}), the gateway has ${hasText}${inRamdisk ? " left" : ""}.`,
          hint: `Give the machine at least ${formatSize(Math.ceil((needs - has) / (64 * MiB)) * 64 * MiB)} more, if only for the conversion.`,
        }),
      ];
    }
    if (has < needs + comfortBytes && !inRamdisk) {
      return [
        warn({
          code: "memory-tight",
          message: `The conversion needs ${needsText} of memory (${parts}), the gateway has ${hasText}: little to spare.`,
          hint: "It should work; if the ramdisk refuses, the old system starts again unchanged.",
        }),
      ];
    }
    return `${formatSize(has)}${inRamdisk ? " left" : ""}, ${formatSize(needs)} needed`;
  },
};

/** What of the package still has to find room in memory. */
function heldBytes(context: CheckContext): number {
  const { stage, manifest, options, reserved } = context;
  const onDisk = stage === "ramdisk" ? (reserved ?? []).length > 0 : chooseStashMode(context).mode === "disk";
  if (onDisk) return options.preservedBytes ?? 0;
  if (stage === "ramdisk" && options.packageInMemory) return 0;
  return packageBytes(manifest) + (options.preservedBytes ?? 0);
}

/** The archive of the old system waits in the stash as well, until slot B can take it. */
function againstOldSystem({ manifest, facts }: CheckContext, needs: number): Finding[] | undefined {
  const room = roomForOldSystem({ manifest, facts });
  if (!room || facts.stashFreeBytes >= needs + room.bytes) return undefined;
  const [hasText, needsText] = formatSizePair(facts.stashFreeBytes, needs + room.bytes);
  const required = room.wanted === "require";
  const finding = {
    code: "old-system-not-kept" as const,
    message: `The old system ${required ? "cannot" : "may not"} be kept as slot B: with its archive the stash needs ${needsText} on the old filesystem, ${hasText} are free.`,
    hint: "Free some space under /var, for example old logs and package caches.",
  };
  return [required ? fail(finding) : warn(finding)];
}

/** The stash on the old filesystem; nothing else is written there. */
export const stashSpace: Check = {
  name: "stash-space",
  title: "Room for the stash",
  run: (context) => {
    const { stage, facts, manifest, options } = context;
    if (stage === "ramdisk") return undefined;
    const onDisk = chooseStashMode(context).mode === "disk";
    const inMemory = packageBytes(manifest) + (options.preservedBytes ?? 0);
    const needs = (onDisk ? stashBytes(context) : inMemory) + stashMarginBytes;
    const [hasText, needsText] = formatSizePair(facts.stashFreeBytes, needs);
    if (facts.stashFreeBytes >= needs) {
      return (
        (onDisk && againstOldSystem(context, needs)) ||
        `${hasText} free, ${needsText} needed (${onDisk ? "it stays on the disk" : "the ramdisk takes it to memory"})`
      );
    }
    return [
      fail({
        code: "stash-space-too-small",
        message: `The stash needs ${needsText} on the old root filesystem, ${hasText} are free.`,
        hint: "Free some space under /var, for example old logs and package caches.",
        where: "/var/lib/dualroot",
      }),
    ];
  },
};
