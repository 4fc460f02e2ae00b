import { formatSizePair, MiB } from "../../../format/sizes.ts";
import { refuse, type InstallCheck } from "./install-check.ts";

/** Two programs that write one slot make a slot that is neither's. */
export const rauc: InstallCheck = {
  name: "rauc",
  title: "RAUC",
  run: ({ purpose, install: { raucOperation } }) => {
    if (purpose === "adopt" || raucOperation === undefined) return undefined;
    if (raucOperation === "idle") return "idle";
    return refuse({
      code: "rauc-busy",
      message: `RAUC is at work (${raucOperation}).`,
      hint: "Wait until rauc install has ended.",
    });
  },
};

/** The agent, tar, and xz with one thread; with more memory it takes more. */
const workingBytes = 96 * MiB;

export const installMemory: InstallCheck = {
  name: "memory",
  title: "Memory",
  run: ({ facts: { memory } }) => {
    const [hasText, needsText] = formatSizePair(memory.availableBytes, workingBytes);
    if (memory.availableBytes >= workingBytes) return `${hasText} available, ${needsText} needed`;
    return refuse({
      code: "memory-too-small",
      message: `The upgrade needs ${needsText} of memory, and ${hasText} are available.`,
      hint: "Stop something, or upgrade right after a restart.",
    });
  },
};
