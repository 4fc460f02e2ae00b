import type { Run } from "../system/run.ts";
import { forgetAttempt, readAttempt, readBootId } from "./attempt.ts";
import { disarmGrub } from "./boot/grub.ts";
import { disarmKexec } from "./boot/kexec.ts";
import { isDualSystem } from "./dual-system.ts";
import type { Places } from "./places.ts";
import { undoStash } from "./stash/undo-stash.ts";

/** Takes back whatever convert left, first what would boot the ramdisk; safe to repeat. Returns what was undone. */
export async function undoPreparation(places: Places, run: Run): Promise<string[]> {
  const attempt = await readAttempt(places);
  const undone: string[] = [];
  // A kernel that somebody else loaded for kexec is not ours to unload.
  if (attempt?.bootMethod === "kexec" && attempt.bootId === (await readBootId())) {
    undone.push(...(await disarmKexec(run)));
  }
  // On a dual system /boot/dualroot is the boot partition; nothing in it is of a preparation's making.
  if (!(await isDualSystem(places))) undone.push(...(await disarmGrub(places.root)));
  if (await undoStash(places, run)) undone.push(`the stash in ${places.stash}`);
  await forgetAttempt(places);
  return undone;
}
