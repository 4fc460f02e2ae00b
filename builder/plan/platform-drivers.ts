import type { Platform } from "../../format/platforms.ts";

/** One way in which a platform shows a root disk or a network card. */
export interface DriverWay {
  /** As that platform's people call it. */
  name: string;
  /** All of them; built in is as good. What they use by symbol (hv_vmbus, libata) comes with them. */
  modules: readonly string[];
  /** A kernel without it does not run there as machines are made today. Where no way is usual, any one will do. */
  isUsual: boolean;
  /** Where it says so: files of Linux 6.1 or QEMU, or a manual of the platform's maker. */
  source: string;
}

function usual(name: string, modules: readonly string[], source: string): DriverWay {
  return { name, modules, isUsual: true, source };
}

function other(name: string, modules: readonly string[], source: string): DriverWay {
  return { name, modules, isUsual: false, source };
}

const intel = "drivers/net/ethernet/intel";
const vmwareManual = "vSphere Virtual Machine Administration";

/**
 * Which drivers a platform needs. Keyboards are not here: dualroot starts by BIOS, and machines with a BIOS have a PS/2 keyboard on
 * all of these (Hyper-V's own keyboard is that of generation 2, which has UEFI).
 */
export const platformDrivers: Record<
  Platform,
  { disk: readonly DriverWay[]; network: readonly DriverWay[] }
> = {
  kvm: {
    disk: [
      usual("virtio-blk", ["virtio_pci", "virtio_blk"], "libvirt, formatdomain: bus='virtio'"),
      usual("virtio-scsi", ["virtio_pci", "virtio_scsi", "sd_mod"], "libvirt; default of Proxmox VE"),
      other("SATA", ["ahci", "sd_mod"], "QEMU hw/ide/ich.c, machine q35"),
      other("IDE", ["ata_piix", "sd_mod"], "QEMU hw/ide/piix.c, machine pc"),
      other("NVMe", ["nvme"], "drivers/nvme/host/pci.c; Amazon's Nitro"),
    ],
    network: [
      usual("virtio-net", ["virtio_pci", "virtio_net"], "libvirt, formatdomain: model type='virtio'"),
      other("e1000", ["e1000"], "QEMU hw/net/e1000.c"),
    ],
  },
  vmware: {
    disk: [
      usual("VMware Paravirtual", ["vmw_pvscsi", "sd_mod"], `${vmwareManual}: SCSI controllers`),
      // The default of guests that were made before.
      other("LSI Logic Parallel", ["mptspi", "sd_mod"], `${vmwareManual}: SCSI controllers`),
      other("LSI Logic SAS", ["mptsas", "sd_mod"], `${vmwareManual}: SCSI controllers`),
      other("SATA", ["ahci", "sd_mod"], `${vmwareManual}: SATA controllers`),
      other("IDE", ["ata_piix", "sd_mod"], "drivers/ata/ata_piix.c: PIIX4 of a 440BX board"),
      other("NVMe", ["nvme"], `${vmwareManual}: NVMe controllers`),
    ],
    network: [
      usual("VMXNET 3", ["vmxnet3"], `${vmwareManual}: network adapter types`),
      other("E1000", ["e1000"], `${vmwareManual}: network adapter types`),
      other("E1000E", ["e1000e"], `${vmwareManual}: network adapter types`),
    ],
  },
  hyperv: {
    disk: [
      // Generation 1 starts from IDE only; Linux drives that disk by hv_storvsc, and ata_piix leaves it alone.
      usual("Hyper-V storage", ["hv_storvsc", "sd_mod"], "drivers/ata/ata_piix.c: prefer_ms_hyperv"),
      other("IDE", ["ata_piix", "sd_mod"], "drivers/ata/ata_piix.c: prefer_ms_hyperv=0"),
    ],
    network: [
      usual("Hyper-V network", ["hv_netvsc"], "drivers/net/hyperv/netvsc_drv.c"),
      other("legacy network adapter", ["tulip"], "drivers/net/ethernet/dec/tulip: DEC 21140"),
    ],
  },
  xen: {
    disk: [
      // A kernel compiled with blkfront takes the emulated disks away as it starts, whether the module is at hand or not.
      usual("blkfront", ["xen_blkfront"], "arch/x86/xen/platform-pci-unplug.c"),
      other(
        "emulated IDE",
        ["ata_piix", "sd_mod"],
        "arch/x86/xen/platform-pci-unplug.c: xen_emul_unplug=never",
      ),
    ],
    network: [
      usual("netfront", ["xen_netfront"], "arch/x86/xen/platform-pci-unplug.c"),
      other("emulated Realtek", ["8139cp"], "drivers/net/ethernet/realtek/8139cp.c"),
    ],
  },
  baremetal: {
    disk: [
      usual("SATA", ["ahci", "sd_mod"], "drivers/ata/ahci.c"),
      other("NVMe", ["nvme"], "drivers/nvme/host/pci.c"),
      other("SATA in IDE mode", ["ata_piix", "sd_mod"], "drivers/ata/ata_piix.c"),
      other("MegaRAID SAS", ["megaraid_sas", "sd_mod"], "drivers/scsi/megaraid"),
      other("LSI SAS 2008 to 3916", ["mpt3sas", "sd_mod"], "drivers/scsi/mpt3sas"),
      other("Smart Array", ["hpsa", "sd_mod"], "drivers/scsi/hpsa.c"),
      other("SmartRAID", ["smartpqi", "sd_mod"], "drivers/scsi/smartpqi"),
      other("Adaptec RAID", ["aacraid", "sd_mod"], "drivers/scsi/aacraid"),
    ],
    network: [
      other("Intel, PCI Express", ["e1000e"], `${intel}/e1000e`),
      other("Intel, servers", ["igb"], `${intel}/igb`),
      other("Intel, 2.5 gigabit", ["igc"], `${intel}/igc`),
      other("Intel, 10 gigabit", ["ixgbe"], `${intel}/ixgbe`),
      other("Intel, 40 gigabit", ["i40e"], `${intel}/i40e`),
      other("Realtek", ["r8169"], "drivers/net/ethernet/realtek/r8169_main.c"),
      other("Broadcom Tigon3", ["tg3"], "drivers/net/ethernet/broadcom/tg3.c"),
      other("Broadcom NetXtreme II", ["bnx2"], "drivers/net/ethernet/broadcom/bnx2.c"),
    ],
  },
};
