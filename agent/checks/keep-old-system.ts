import { formatSize } from "../../format/sizes.ts";
import { judgeOldSystem } from "../old-system/plan-old-system.ts";
import { fail, warn, type Check } from "./check.ts";
import { chooseStashMode } from "./stash-mode.ts";

/** Is there a way back? With `auto` a gateway goes without; it must be told before, not afterwards. */
export const keepOldSystem: Check = {
  name: "old-system",
  title: "Old system",
  run: (context) => {
    const { stage, facts, manifest, disk } = context;
    // In the ramdisk it is not mounted, and whether it was captured is known for sure.
    if (stage === "ramdisk" || !disk) return undefined;
    const { wanted, usedBytes, roomBytes, reason, canTryMemory } = judgeOldSystem({ manifest, facts });
    if (wanted === "never") return "not kept: the release says so";
    if (reason === undefined && roomBytes === undefined) return undefined;
    if (reason === undefined && wanted === "require" && chooseStashMode(context).mode === "ram") {
      return [
        fail({
          code: "old-system-not-kept",
          message: "The old system must be kept as slot B, and its archive needs a stash on the disk.",
          hint: "The row on power cuts says what stands against a stash on the disk.",
        }),
      ];
    }
    if (reason === undefined) return `is kept as slot B (${formatSize(usedBytes)})`;
    const tryMemory = wanted === "auto" && canTryMemory === true;
    const finding = {
      code: "old-system-not-kept" as const,
      message: `The old system ${tryMemory ? "may not be kept" : "cannot be kept"} as slot B: ${reason}.`,
      hint: tryMemory
        ? "It is kept if the machine's memory holds the archive. A larger disk makes it sure."
        : "There will be no way back to it. Make it smaller (old logs, caches, data that can be moved), or the disk larger.",
    };
    return [wanted === "require" ? fail(finding) : warn(finding)];
  },
};
