import type { BootMethod } from "../../checks/boot-method.ts";
import type { StashMode } from "../../checks/stash-mode.ts";

/** What convert itself does on the old system, before the ramdisk takes over. */
export function describePreparation(method: BootMethod, mode: StashMode, stash: string): string[] {
  return [
    "On this system",
    "",
    `  1. Put the package, the gateway's identity and its preserved files into ${stash}`,
    mode === "disk"
      ? "     and read them back from the disk: the ramdisk takes them from there, after a power cut too"
      : "     from where the ramdisk takes them to memory",
    ...(method === "kexec"
      ? [
          "  2. Load the ramdisk into memory (kexec)",
          "  3. Shut this system down and start the ramdisk, once",
        ]
      : [
          "  2. Copy the ramdisk to /boot/dualroot and add a GRUB entry that is taken once",
          "  3. Reboot; GRUB starts the ramdisk, once",
        ]),
  ];
}
