import { StepError } from "../../format/errors.ts";
import { packageFiles } from "../../format/manifest.ts";
import type { TargetWriter } from "../identity/restore/target-writer.ts";
import { copyStored } from "../stash/stored-file.ts";
import type { StepContext } from "../steps/step-context.ts";
import type { SlotRoot } from "./adapt-old-system.ts";
import { oldArguments } from "./old-command-line.ts";
import { rebuildSlotInitramfs } from "./rebuild-slot-initramfs.ts";

/** What slot.cfg will say, and what a person should know about it. */
export interface SlotBoot {
  kernel: string;
  initramfs: string;
  words: string[];
  notes: string[];
}

/**
 * By its own kernel, with an initramfs that finds its new place. Where the old system cannot make one (no LVM in it, no tool), by
 * the ramdisk's kernel and image in mode `boot`: they know how to open the slot, and then hand over to it.
 */
export async function chooseSlotBoot(
  slot: SlotRoot,
  writer: TargetWriter,
  context: StepContext,
): Promise<SlotBoot> {
  const { words, dropped } = oldArguments(slot.commandLine);
  const notes = dropped.map((word) => `Slot B boots without the old kernel argument ${word}.`);
  try {
    const own = await rebuildSlotInitramfs(slot, writer, context);
    return { ...own, words: [...words, ...own.words], notes };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    notes.push(`Slot B boots by the ramdisk's kernel, not its own: ${reason}`);
  }
  const kernel = `/boot/${packageFiles.kernel}`;
  const initramfs = `/boot/${packageFiles.ramdisk}`;
  await writer.makeFolder("/boot");
  for (const [name, path] of [
    [packageFiles.kernel, kernel],
    [packageFiles.ramdisk, initramfs],
  ] as const) {
    const stored = context.stored(name);
    const copied = await copyStored(stored, writer.outside(path));
    // What is read back later is compared with what was written here, not with the package.
    if (copied !== stored.sha256)
      throw new StepError(`${name}, by which slot B was to boot, is not as the package has it any more`, {
        hint: "The disk or the memory of this machine is failing.",
      });
  }
  return { kernel, initramfs, words: ["dualroot.mode=boot", ...words], notes };
}
