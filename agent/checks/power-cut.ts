import { warn, type Check } from "./check.ts";

/** Ram mode has no second place for the package once the disk is being rewritten; with a stash on the disk, time is all it costs. */
export const powerCut: Check = {
  name: "power-cut",
  title: "Power cut",
  run: ({ stage, reserved }) => {
    if (stage === "ramdisk") return undefined;
    if (reserved && reserved.length > 0) return "costs time, never the gateway";
    return [
      warn({
        code: "power-cut-unsafe",
        message:
          "The package is held in memory only: a power cut while the disk is rewritten, some minutes, loses the gateway.",
        hint: "Do not switch the machine off until it answers again. Before and after those minutes a power cut harms nothing.",
      }),
    ];
  },
};
