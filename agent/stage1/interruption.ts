import { userError } from "../../format/errors.ts";

export interface Interruption {
  /** Aborted, with the refusal to throw as its reason, when a person or the system asks us to stop. */
  signal: AbortSignal;
  /** From here on nothing stops us: not Ctrl-C, not a dropped ssh session. */
  ignoreFromNow: () => void;
}

const beforeRamdisk = {
  message: "Interrupted before the ramdisk was started.",
  hint: "Everything that was prepared has been removed. Start again when you like.",
};

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Turns signals into an orderly end between two steps, so that what was begun is taken back. */
export function watchForInterruption(words = beforeRamdisk): Interruption {
  const controller = new AbortController();
  let ignored = false;
  for (const name of signals) {
    process.on(name, () => {
      if (!ignored) controller.abort(interrupted(words));
    });
  }
  return {
    signal: controller.signal,
    ignoreFromNow: () => {
      ignored = true;
    },
  };
}

function interrupted(words: typeof beforeRamdisk): Error {
  return userError({ code: "interrupted", ...words }, "interrupted");
}
