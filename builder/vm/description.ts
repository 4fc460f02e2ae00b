/** One plain value describes a virtual machine; QEMU's argv is one rendering of it, other hypervisors' may follow. */
export interface VirtualMachine {
  name: string;
  /** `q35` and `pc`: BIOS, PCI. `microvm`: no firmware menu, virtio-mmio. */
  machine: "q35" | "pc" | "microvm";
  memoryBytes: number;
  /** One under TCG: two are slower on a small host. */
  cpus: number;
  /**
   * `plain`: x86-64 without its vector extensions. Without KVM programs that use them run slower, not faster: OpenSSL's
   * SHA-256 four times. Systems built for newer processors (RHEL 9) do not start on it.
   */
  processor?: "plain";
  drives: Drive[];
  nics: Nic[];
  /** Channels of virtio-serial between host and guest, in this order. */
  ports?: Port[];
  /** Memory that lies in this file; `private` writes never reach it. For machines saved once and restored often. */
  memoryFile?: { path: string; writes: "shared" | "private" };
  /** Starts empty and waits for a saved state, by QMP `migrate-incoming`. */
  isIncoming?: boolean;
  /** Boots this kernel instead of the first drive. */
  boot?: { kernel: string; initrd?: string; append: string };
  /** `vga` has a screen that can be photographed; neither opens a window. */
  display: "none" | "vga";
  /** Intel's 6300ESB, which resets the machine when a guest that has started it falls silent. */
  watchdog?: boolean;
  /** `stop`: the machine ends where it would restart. */
  onReset: "restart" | "stop";
}

/** The formats QEMU itself can read and write; `vpc` is VHD. */
export const diskFormats = ["raw", "qcow2", "vmdk", "vdi", "vpc", "vhdx"] as const;
export type DiskFormat = (typeof diskFormats)[number];

export interface Drive {
  /** A file of this host, or for `raw` an address that QEMU can open, such as `nbd+unix:///?socket=PATH`. */
  file: string;
  format: DiskFormat;
  readOnly: boolean;
  /** Up to 20 characters, seen by the guest as the disk's serial number. */
  serial: string;
  /** Guest writes may be lost with the host: faster, for disks that can be made again. */
  disposable: boolean;
  /** A QEMU block driver between the guest and a raw `file`, for tests of what a disk may do. */
  filter?: DriveFilter;
  /** The file is opened for reading only; what the guest writes goes to a nameless temporary file and ends with QEMU. */
  discardWrites?: boolean;
  /** The image is a part of `file`, such as a member of a tar. */
  window?: FileWindow;
}

export interface FileWindow {
  offset: number;
  sizeBytes: number;
}

/** `record-writes`: every write, discard and flush is appended to `log` in the format of the kernel's dm-log-writes. */
export interface DriveFilter {
  kind: "record-writes";
  log: string;
}

export interface Port {
  /** What the guest finds it by: /sys/class/virtio-ports/*\/name. */
  name: string;
  /** `terminal`: the guest's hvc0. */
  kind: "stream" | "terminal";
}

export interface Nic {
  macAddress: string;
  /** Ports of this host that lead to ports of the guest; the user network is 10.0.2.0/24 and fec0::/64, the host 10.0.2.2. */
  forwards: { hostPort: number; guestAddress: string; guestPort: number }[];
}
