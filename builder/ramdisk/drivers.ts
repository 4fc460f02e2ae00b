import { firewallModules, networkModules } from "../../agent/boot-slot/slot-modules.ts";

/** Drivers of one kind of machine. Names as modprobe takes them, `_` for `-`; built-in ones count as present. */
export interface DriverGroup {
  platform: string;
  /** In the `virtual` profile too: what a virtual machine can meet. */
  isVirtual: boolean;
  drivers: string[];
}

/** The one list of what the ramdisk can drive. Dependencies come by themselves; a kernel without some of them is noted. */
export const driverGroups: readonly DriverGroup[] = [
  {
    platform: "KVM, QEMU, most clouds",
    isVirtual: true,
    drivers: [
      "virtio_pci",
      "virtio_blk",
      "virtio_scsi",
      "virtio_net",
      "virtio_console",
      "virtio_rng",
      "virtio_balloon",
    ],
  },
  // Old VMware machines have the LSI controllers, new ones the paravirtual.
  {
    platform: "VMware",
    isVirtual: true,
    drivers: ["mptspi", "mptsas", "vmw_pvscsi", "vmxnet3", "vmw_balloon"],
  },
  {
    platform: "Hyper-V",
    isVirtual: true,
    drivers: ["hv_vmbus", "hv_storvsc", "hv_netvsc", "hv_utils", "hyperv_keyboard"],
  },
  { platform: "Xen", isVirtual: true, drivers: ["xen_blkfront", "xen_netfront"] },
  // Proxmox gives the first to a machine that asks for SCSI and nothing else.
  { platform: "SCSI controllers QEMU emulates", isVirtual: true, drivers: ["sym53c8xx", "megaraid_sas"] },
  // VirtualBox and old QEMU machines show PIIX and e1000.
  {
    platform: "AHCI and ATA",
    isVirtual: true,
    drivers: ["ahci", "ata_piix", "ata_generic", "sd_mod", "sr_mod", "sg"],
  },
  { platform: "NVMe", isVirtual: true, drivers: ["nvme"] },
  {
    platform: "emulated network cards",
    isVirtual: true,
    drivers: ["e1000", "e1000e", "8139cp", "8139too", "pcnet32"],
  },
  {
    platform: "RAID controllers and host bus adapters",
    isVirtual: false,
    drivers: [
      "megaraid_mbox",
      "mpt3sas",
      "hpsa",
      "smartpqi",
      "aacraid",
      "3w_9xxx",
      "arcmsr",
      "isci",
      "mvsas",
    ],
  },
  {
    platform: "network cards of servers and appliances",
    isVirtual: false,
    drivers: ["igb", "igc", "ixgbe", "i40e", "r8169", "tg3", "bnx2", "bnx2x", "be2net"],
  },
  {
    platform: "USB disks",
    isVirtual: false,
    drivers: ["usb_storage", "uas"],
  },
  // For the rescue prompt: virtual machines' keyboards are on USB as often as on PS/2.
  {
    platform: "keyboards",
    isVirtual: true,
    drivers: ["xhci_pci", "ehci_pci", "ohci_pci", "uhci_hcd", "hid_generic", "usbhid", "i8042", "atkbd"],
  },
  { platform: "volumes", isVirtual: true, drivers: ["dm_mod", "dm_snapshot", "dm_mirror", "loop"] },
  // crc32c is asked for by name from ext4 and xfs, not by dependency.
  {
    platform: "filesystems",
    isVirtual: true,
    drivers: [
      "ext4",
      "xfs",
      "vfat",
      "nls_cp437",
      "nls_ascii",
      "nls_iso8859_1",
      "nls_utf8",
      "crc32c_generic",
      "crc32c_intel",
      "crc32_pclmul",
    ],
  },
  // A slot that is booted with this kernel has no modules for it, and its systemd wants to mount on demand.
  {
    platform: "booted slots",
    isVirtual: true,
    drivers: ["autofs4", ...firewallModules, ...networkModules],
  },
  // So that a ramdisk that hangs on a machine nobody stands next to is reset. Intel's timer is shown by the LPC or the SMBus driver.
  {
    platform: "watchdogs",
    isVirtual: true,
    drivers: ["iTCO_wdt", "lpc_ich", "i2c_i801", "sp5100_tco", "wdat_wdt", "i6300esb"],
  },
];

/** Without these no conversion can work anywhere: missing ones refuse the build. */
export const requiredDrivers = ["virtio_pci", "virtio_blk", "sd_mod", "dm_mod", "ext4", "xfs"] as const;

export type DriverProfile = "all" | "virtual";

export function driversOf(profile: DriverProfile): string[] {
  return driverGroups
    .filter((group) => profile === "all" || group.isVirtual)
    .flatMap((group) => group.drivers);
}
