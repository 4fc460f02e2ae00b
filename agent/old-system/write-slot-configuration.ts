import { StepError } from "../../format/errors.ts";
import { parseSlotConfiguration } from "../boot/slot-configuration.ts";
import type { TargetWriter } from "../identity/restore/target-writer.ts";
import type { StepContext } from "../steps/step-context.ts";
import type { SlotBoot } from "./choose-slot-boot.ts";
import { labelAs } from "./label-as.ts";

const slotConfiguration = "/boot/slot.cfg";

/** /boot/slot.cfg as select-kernel writes it; read back by the reader of slot A's. */
export async function writeSlotConfiguration(
  { kernel, initramfs, words }: SlotBoot,
  writer: TargetWriter,
  { run }: StepContext,
): Promise<void> {
  const text = [
    "# Written by dualroot when it kept this system as slot B; read by GRUB.",
    `set dualroot_kernel='${kernel}'`,
    `set dualroot_initrd='${initramfs}'`,
    `set dualroot_arguments='${words.join(" ")}'`,
    "",
  ].join("\n");
  await writer.replace(slotConfiguration, text);
  const read = parseSlotConfiguration((await writer.readText(slotConfiguration)) ?? "");
  if (read?.kernel !== kernel || read.initramfs !== initramfs || read.arguments !== words.join(" "))
    throw new StepError(`${slotConfiguration} of slot B does not read back as written`);
  // A copy of a converted gateway may carry the mark; this content was never healthy here.
  await writer.remove("/boot/slot.proven");
  await labelAs(run, writer, "/boot", [slotConfiguration, initramfs]);
}
