import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { parseSlotConfiguration } from "../boot/slot-configuration.ts";
import { readTextIfExists, writeFileDurably } from "../system/files.ts";
import type { Run } from "../system/run.ts";
import { encodeSystemFile, type SystemFile } from "./system-file.ts";
import { volumesFile } from "./volumes-file.ts";

export interface SlotDescription {
  /** Where the slot is mounted. */
  target: string;
  system: SystemFile;
  /** Pinned keys; of the gateway once it has some. */
  keysFile: string;
  /** /etc/dualroot/command-line: words after ours on the kernel's line. */
  commandLine: string;
  /** /etc/dualroot/volumes */
  volumes: string;
  /** Paths inside the slot. */
  kernel: string;
  initramfs: string;
}

/** What a slot knows of itself and GRUB of it: /etc/dualroot and /boot/slot.cfg. */
export async function describeSlot(slot: SlotDescription, run: Run): Promise<void> {
  const { target } = slot;
  const folder = join(target, "etc/dualroot");
  await mkdir(folder, { recursive: true });
  await writeFileDurably(join(folder, "system.json"), encodeSystemFile(slot.system));
  await writeFileDurably(join(folder, "keys.json"), await readFile(slot.keysFile));
  await writeFileDurably(join(folder, "command-line"), `${slot.commandLine}\n`);
  await writeFileDurably(join(target, volumesFile), slot.volumes);
  await selectKernel(slot, run);
  // A root filesystem taken from a converted gateway may carry its mark; this content was never healthy here.
  await rm(join(target, "boot/slot.proven"), { force: true });
}

/** By the script that does it after every kernel update, so that there is one truth about slot.cfg. */
async function selectKernel({ target, kernel, initramfs, system }: SlotDescription, run: Run): Promise<void> {
  await run("chroot", [target, "/usr/lib/dualroot/select-kernel", kernel, initramfs]);
  const written = parseSlotConfiguration((await readTextIfExists(join(target, "boot/slot.cfg"))) ?? "");
  if (written?.kernel !== kernel || written.initramfs !== initramfs)
    throw new StepError(`/boot/slot.cfg of slot ${system.slot} does not name ${kernel} and ${initramfs}`);
}
