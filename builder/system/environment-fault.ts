import { StepError } from "../../format/errors.ts";

const hints: Record<string, string> = {
  ENOSPC: "The disk is full. Free some space, or build elsewhere.",
  EDQUOT: "Your quota is used up. Free some space, or build elsewhere.",
  EACCES: "You may not do that there. Check owner and mode, or run it as root.",
  EPERM: "You may not do that there. Check owner and mode, or run it as root.",
  EROFS: "The file system is read-only. Choose another place.",
  EIO: "The disk reports an error; the kernel's messages (dmesg) say more.",
  EMFILE: "Too many files are open; raise the limit with ulimit -n.",
};

/** An error of the operating system that is nobody's bug, as a failed step; anything else as it is. */
export function environmentFault(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  const hint = hints[error.code];
  return hint === undefined ? error : new StepError(error.message, { hint, cause: error });
}
