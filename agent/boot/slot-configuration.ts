/** What /boot/slot.cfg says: paths inside the slot, and the words after ours on its kernel command line. */
export interface SlotConfiguration {
  kernel: string;
  initramfs: string;
  arguments: string;
}

/** Reads what /usr/lib/dualroot/select-kernel writes; undefined when a line is missing or is not of its making. */
export function parseSlotConfiguration(text: string): SlotConfiguration | undefined {
  const value = (name: string): string | undefined =>
    new RegExp(`^set ${name}='([^']*)'$`, "m").exec(text)?.[1];
  const kernel = value("dualroot_kernel");
  const initramfs = value("dualroot_initrd");
  const words = value("dualroot_arguments");
  if (kernel === undefined || initramfs === undefined || words === undefined) return undefined;
  return { kernel, initramfs, arguments: words };
}
