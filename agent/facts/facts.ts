/** What the machine is, decided nothing. The same shape on the old system, in the ramdisk, and in tests as JSON. */
export interface Facts {
  architecture: string;
  firmware: "bios" | "uefi";
  isRoot: boolean;
  kernelRelease: string;
  kernelCommandLine: string;
  osName: string;
  memory: { totalBytes: number; availableBytes: number };
  disks: DiskFacts[];
  /** LVM volume groups seen on any disk, by name. */
  volumeGroups?: VolumeGroupFacts[];
  mounts: MountFacts[];
  /** Every block device from the root filesystem down to its disks; absent in the ramdisk. */
  root?: RootFacts;
  boot: BootFacts;
  interfaces: InterfaceFacts[];
  /** Modules bound to disks and their controllers, e.g. `virtio_blk`, `ahci`, `mptspi`; `-` as `_`. */
  storageDrivers: string[];
  /** Product word of an already converted gateway and its slot; absent on an old system. */
  converted?: { slot: "A" | "B"; compatible: string };
  /** First line of /etc/dualroot/compatible: what product this gateway is; most old gateways have no such file. */
  compatible?: string;
  /** The highest anti-rollback counter that was ever committed on this machine; most old gateways have none. */
  counterFloor?: number;
  /** Free bytes on the filesystem that will hold the stash. */
  stashFreeBytes: number;
}

export interface DiskFacts {
  /** Kernel name, `vda`. */
  name: string;
  path: string;
  sizeBytes: number;
  logicalSectorBytes: number;
  serial?: string;
  model?: string;
  readOnly: boolean;
  removable: boolean;
  /** `dos`, `gpt`, or none. */
  tableType?: "dos" | "gpt";
  /** blkid's PTUUID. */
  tableId?: string;
  partitions: PartitionFacts[];
  /** Kernel names of what is stacked on the whole disk or its partitions: `md0`, `dm-2`. */
  holders: string[];
}

export interface PartitionFacts {
  name: string;
  path: string;
  number: number;
  startBytes: number;
  sizeBytes: number;
  /** blkid TYPE: `xfs`, `ext4`, `LVM2_member`, `swap`, `linux_raid_member`, `crypto_LUKS`. */
  filesystemType?: string;
  filesystemUuid?: string;
}

export interface VolumeGroupFacts {
  name: string;
  uuid: string;
  /** Device paths, `/dev/sda2`. */
  physicalVolumes: string[];
  /** Logical volumes, so that a person can be told what would be lost. */
  volumes?: { name: string; sizeBytes: number; filesystemType?: string }[];
}

export interface MountFacts {
  /** `major:minor` as in mountinfo. */
  device: string;
  source: string;
  target: string;
  type: string;
  options: string;
  /** Kernel names of the whole disks below; absent for what is no block device, e.g. `proc`, `nfs4`. */
  disks?: string[];
  /** Bytes in use, as `df` counts them. */
  usedBytes?: number;
  /** Kinds of devices from the filesystem down to the disks, as in `root`; absent where `disks` is. */
  stack?: RootFacts["stack"];
  /** The filesystem's own options, such as `data=journal`, after those of the mount. */
  superOptions?: string;
}

export interface RootFacts {
  device: string;
  filesystemType: string;
  filesystemUuid: string;
  /** Kinds met between the filesystem and the disk. `lvm-other`: any segment type that is not linear. */
  stack: (
    | "partition"
    | "lvm-linear"
    | "lvm-other"
    | "raid"
    | "multipath"
    | "crypt"
    | "loop"
    | "disk"
    | "unknown"
  )[];
  /** Kernel names of the whole disks below. One is what we convert. */
  disks: string[];
  /** Physical volumes of the root's volume group, device paths; empty without LVM. */
  groupPhysicalVolumes: string[];
}

export interface BootFacts {
  /** `/boot/grub` or `/boot/grub2`, where grub.cfg lies; absent when there is no GRUB 2. */
  grubFolder?: string;
  /** GRUB can write its environment block there: plain partition, not LVM or RAID. */
  grubenvWritable: boolean;
  /** grub.cfg sources custom.cfg and honours next_entry. */
  grubOneShot: boolean;
  kexecAllowed: boolean;
  secureBoot: boolean;
  bootFreeBytes: number;
}

export interface InterfaceFacts {
  name: string;
  macAddress?: string;
  driver?: string;
  up: boolean;
  /** `192.0.2.10/24` */
  addresses: string[];
}
