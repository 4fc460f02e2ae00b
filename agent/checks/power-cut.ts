import { formatSize } from "../../format/sizes.ts";
import { freeLayoutBytes } from "../plan/judge-stash-ranges.ts";
import { fail, warn, type Check, type CheckContext } from "./check.ts";
import { packageBytes } from "./package-bytes.ts";
import { chooseStashMode, isPlainLayer, stashBytes, trialPlan } from "./stash-mode.ts";

/** A slow disk's; what a fast one does makes the window shorter. */
const writtenBytesPerSecond = 30_000_000;

/** In ram mode there is a time in which the disk boots nothing. A person has to know how long, and to say that it may be. */
export const powerCut: Check = {
  name: "power-cut",
  title: "Power cut",
  run: (context) => {
    const { stage, facts, options } = context;
    // Without a plan or below another kind of root nothing is converted, in no mode; other checks tell.
    if (stage === "ramdisk" || !trialPlan(context) || !facts.root?.stack.every(isPlainLayer))
      return undefined;
    const { mode, against } = chooseStashMode(context);
    if (mode === "disk") return "costs time, never the gateway (stash on the disk)";
    if (options.stash === "disk") {
      return [
        fail({
          code: "stash-not-on-disk",
          message: `The stash cannot lie on the disk: ${against.join("; ")}.`,
          hint: "Remove the reason, or leave out --stash disk.",
        }),
      ];
    }
    const problem = {
      code: "power-cut-unsafe" as const,
      message: `A power cut within ${fatalWindow(context)} loses the gateway: the package is held in memory (${against.join("; ")}).`,
    };
    if (options.rehearse)
      return [warn({ ...problem, hint: "A rehearsal writes nothing, so it is as safe as a reboot." })];
    if (options.acceptPowerRisk)
      return [
        warn({ ...problem, hint: "You accepted that; keep the power on until the gateway answers again." }),
      ];
    return [
      fail({
        ...problem,
        hint: "Remove the reason, or use a gateway on safe power and say --accept-power-risk.",
      }),
    ];
  },
};

/** With room beside the new volumes the package is written there first and can be resumed from. */
function fatalWindow(context: CheckContext): string {
  const plan = trialPlan(context);
  if (!plan || freeLayoutBytes(plan) < stashBytes(context)) return "the whole rewrite, some minutes,";
  const bytes = packageBytes(context.manifest);
  const seconds = Math.max(1, Math.ceil(bytes / writtenBytesPerSecond));
  return `the about ${seconds} seconds in which ${formatSize(bytes)} are written to their place`;
}
