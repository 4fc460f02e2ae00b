import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Makes a folder with these files; a value that starts with `->` is a link. */
export function writeTree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "dualroot-facts-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    if (content === "DIR") mkdirSync(join(root, path), { recursive: true });
    else if (content.startsWith("->")) symlinkSync(content.slice(2), join(root, path));
    else writeFileSync(join(root, path), `${content}\n`);
  }
  return root;
}

const pci = "sys/devices/pci0000:00/0000:00:10.0";
const disk = `${pci}/host2/target2:0:0/2:0:0:0/block/sda`;
const dm = "sys/devices/virtual/block";
export const groupUuid = "HMtN4ZAbcdEfghIjklMnopQrstUvwx12";
export const rootUuid = "wGeHCL0123456789abcdefghijklmnop";

/** As a CentOS 7 on VMware shows itself: MBR, xfs /boot, LVM `centos`, LSI controller, vmxnet3. Cut to what is read. */
export const centosTree: Record<string, string> = {
  "proc/self/mountinfo":
    "62 0 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/centos-root rw\n70 62 8:1 / /boot rw shared:29 - xfs /dev/sda1 rw\n12 62 0:3 / /proc rw - proc proc rw",
  "proc/meminfo": "MemTotal: 1016188 kB\nMemAvailable: 800000 kB",
  "proc/sys/kernel/osrelease": "3.10.0-1160.el7.x86_64",
  "proc/sys/kernel/kexec_load_disabled": "0",
  "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/mapper/centos-root console=ttyS0",
  "etc/os-release": 'PRETTY_NAME="CentOS Linux 7 (Core)"',
  "sys/kernel/kexec_loaded": "0",
  "sys/block/sda": `->../../${disk}`,
  "sys/block/sr0": `->../../${pci}/sr0`,
  [`${pci}/sr0/size`]: "2097151",
  [`${pci}/driver`]: "->../../../bus/pci/drivers/mptspi",
  "sys/bus/pci/drivers/mptspi/module": "->../../../../module/mptspi",
  "sys/module/mptspi/refcnt": "1",
  [`${pci}/host2/target2:0:0/2:0:0:0/driver`]: "->../../../../../../bus/scsi/drivers/sd",
  "sys/bus/scsi/drivers/sd/uevent": "",
  [`${pci}/host2/target2:0:0/2:0:0:0/model`]: "Virtual disk    ",
  [`${pci}/host2/target2:0:0/2:0:0:0/vpd_pg80`]: "\u0000\u0080\u0000\u0014 6000c29f2d4e",
  [`${disk}/device`]: "->../../../2:0:0:0",
  [`${disk}/size`]: "20971520",
  [`${disk}/dev`]: "8:0",
  [`${disk}/ro`]: "0",
  [`${disk}/removable`]: "0",
  [`${disk}/queue/logical_block_size`]: "512",
  [`${disk}/holders`]: "DIR",
  [`${disk}/sda1/partition`]: "1",
  [`${disk}/sda1/start`]: "2048",
  [`${disk}/sda1/size`]: "2097152",
  [`${disk}/sda1/holders`]: "DIR",
  [`${disk}/sda2/partition`]: "2",
  [`${disk}/sda2/start`]: "2099200",
  [`${disk}/sda2/size`]: "18872320",
  [`${disk}/sda2/holders/dm-0`]: "DIR",
  [`${disk}/sda2/holders/dm-1`]: "DIR",
  [`${dm}/dm-0/dm/name`]: "centos-root",
  [`${dm}/dm-0/dm/uuid`]: `LVM-${groupUuid}${rootUuid}`,
  [`${dm}/dm-0/slaves/sda2`]: `->../../../../../../${disk}/sda2`,
  [`${dm}/dm-0/size`]: "14680064",
  "sys/block/dm-0": "->../devices/virtual/block/dm-0",
  "sys/class/block/dm-0": "->../../devices/virtual/block/dm-0",
  "sys/class/block/sda": `->../../../${disk}`,
  "sys/class/block/sda1": `->../../../${disk}/sda1`,
  "sys/class/block/sda2": `->../../../${disk}/sda2`,
  "sys/dev/block/253:0": "->../../devices/virtual/block/dm-0",
  "sys/dev/block/8:1": `->../../../${disk}/sda1`,
  "sys/class/net/lo/flags": "0x9",
  "sys/class/net/ens192/flags": "0x1003",
  "sys/class/net/ens192/address": "00:50:56:01:02:03",
  "sys/class/net/ens192/device": "->../../../devices/pci0000:00/0000:03:00.0",
  "sys/devices/pci0000:00/0000:03:00.0/driver": "->../../../bus/pci/drivers/vmxnet3",
  "sys/bus/pci/drivers/vmxnet3/module": "->../../../../module/vmxnet3",
  "sys/module/vmxnet3/refcnt": "0",
  "boot/grub2/grub.cfg":
    'if [ "${next_entry}" ] ; then set default="${next_entry}"; fi\nsource ${config_directory}/custom.cfg',
};
