import type { DiskFormat, Drive, FileWindow, VirtualMachine } from "../vm/description.ts";

/** A disk as the helper gets it. */
export interface AttachedDisk {
  file: string;
  format: DiskFormat;
  /** The file stays as it is: what is written to the disk is gone with the machine. */
  readOnly: boolean;
  window?: FileWindow;
}

export const portNames = {
  control: "dualroot.control",
  alive: "dualroot.alive",
  stdin: "dualroot.stdin",
  stdout: "dualroot.stdout",
  stderr: "dualroot.stderr",
  terminal: "dualroot.terminal",
} as const;

/**
 * Saves what an emulated machine spends on finding out what it is, and on defences against its own guest's neighbours, of
 * which there are none. Measured one by one in the notes on the helper's start.
 */
const commandLine = [
  "console=ttyS0 quiet panic=-1",
  "tsc=reliable no_timer_check cryptomgr.notests 8250.nr_uarts=1 usbcore.nousb edd=off cgroup_disable=memory",
  "mitigations=off init_on_alloc=0 nokaslr audit=0 apparmor=0 selinux=0 ipv6.disable=1 i8042.noaux i8042.nokbd",
].join(" ");

/** Pure: the helper as a virtual machine. One processor: a second one makes an emulated machine slower. */
export function helperMachine(options: {
  kernel: string;
  ramdisk: string;
  memoryBytes: number;
  disks: readonly AttachedDisk[];
}): VirtualMachine {
  return {
    name: "dualroot-helper",
    machine: "q35",
    memoryBytes: options.memoryBytes,
    cpus: 1,
    drives: options.disks.map((disk, index): Drive => ({
      file: disk.file,
      format: disk.format,
      readOnly: false,
      discardWrites: disk.readOnly,
      serial: `disk${index}`,
      disposable: disk.readOnly,
      ...(disk.window ? { window: disk.window } : {}),
    })),
    nics: [],
    ports: [
      { name: portNames.control, kind: "stream" },
      { name: portNames.alive, kind: "stream" },
      { name: portNames.stdin, kind: "stream" },
      { name: portNames.stdout, kind: "stream" },
      { name: portNames.stderr, kind: "stream" },
      { name: portNames.terminal, kind: "terminal" },
    ],
    boot: { kernel: options.kernel, initrd: options.ramdisk, append: commandLine },
    display: "none",
    onReset: "stop",
  };
}

/** Where the guest shows its disks: /dev/vda, … in the order they were given. */
export function diskDevice(index: number): string {
  return `/dev/vd${String.fromCodePoint(97 + index)}`;
}

/** What q35's root bus has room for beside the machine's own devices. */
export const maximumDisks = 20;
