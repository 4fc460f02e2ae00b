import { rm } from "node:fs/promises";
import { exitCodes } from "../../format/errors.ts";
import { takeBackUpgrade } from "../install/take-back.ts";
import { exists } from "../system/files.ts";
import type { StageOneContext } from "./context.ts";
import { acquireLock } from "./lock.ts";
import { undoPreparation } from "./undo.ts";

/** By `--reboot 03:30`, say. It may as well be another program's, so it is not ours to take back. */
const restartStays = "A restart that was scheduled still takes place; shutdown -c takes it back.";

/** Undoes all that convert and --from left on this system, and an upgrade that waits for its restart. */
export async function cancel(
  { places, run, answer }: Pick<StageOneContext, "places" | "run" | "answer">,
  lock = acquireLock,
): Promise<number> {
  const release = await lock();
  try {
    const undone = await undoPreparation(places, run);
    const upgrade = await takeBackUpgrade(places.root, run);
    if (upgrade !== undefined) undone.push(upgrade);
    if (await exists(places.downloads)) {
      await rm(places.downloads, { recursive: true });
      undone.push(`the download in ${places.downloads}`);
    }
    answer(
      { command: "cancel", outcome: "cancelled", undone },
      undone.length === 0
        ? ["There was nothing to undo."]
        : [
            "Taken back:",
            ...undone.map((what) => `  ${what}`),
            ...(upgrade === undefined ? [] : [restartStays]),
          ],
    );
    return exitCodes.success;
  } finally {
    await release();
  }
}
