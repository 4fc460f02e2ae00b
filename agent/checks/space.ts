import { formatSize, formatSizePair, MiB } from "../../format/sizes.ts";
import { fail, warn, type Check } from "./check.ts";
import { packageBytes } from "./package-bytes.ts";
import { workingBytes } from "./ramdisk-memory.ts";

/** Below this much to spare the table warns. */
const comfortBytes = 64 * MiB;
/** stash.json, identity, logs, and what a filesystem needs to stay healthy. */
const stashMarginBytes = 64 * MiB;

/** Ram mode: the whole package is held in memory beside the ramdisk. */
export const memory: Check = {
  name: "memory",
  title: "Memory",
  run: ({ stage, facts, manifest, options }) => {
    const carried = packageBytes(manifest) + (options.preservedBytes ?? 0);
    const inRamdisk = stage === "ramdisk";
    const has = inRamdisk ? facts.memory.availableBytes : facts.memory.totalBytes;
    const held = inRamdisk && options.packageInMemory ? 0 : carried;
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

/** The package is copied into the stash on the old root filesystem; nothing else is written there. */
export const stashSpace: Check = {
  name: "stash-space",
  title: "Room for the package",
  run: ({ stage, facts, manifest, options }) => {
    if (stage === "ramdisk") return undefined;
    const needs = packageBytes(manifest) + (options.preservedBytes ?? 0) + stashMarginBytes;
    const [hasText, needsText] = formatSizePair(facts.stashFreeBytes, needs);
    if (facts.stashFreeBytes >= needs) return `${hasText} free, ${needsText} needed`;
    return [
      fail({
        code: "stash-space-too-small",
        message: `The package needs ${needsText} on the old root filesystem, ${hasText} are free.`,
        hint: "Free some space under /var, for example old logs and package caches.",
        where: "/var/lib/dualroot",
      }),
    ];
  },
};
