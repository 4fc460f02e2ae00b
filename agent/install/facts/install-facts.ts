import type { SlotName } from "../../../format/grubenv.ts";
import type { PermitFacts } from "../../package/read-permit.ts";
import type { SlotRecord } from "../../slot/slot-record.ts";
import type { SystemFile } from "../../slot/system-file.ts";

/** What a converted gateway is, beside `Facts`; decided nothing, JSON as they are. */
export interface InstallFacts {
  /** Slot of the kernel command line (`rauc.slot=`). */
  running?: SlotName;
  /** /etc/dualroot/system.json of the slot that runs. */
  system?: SystemFile;
  /** As GRUB's menu names them. */
  slots: SlotVolume[];
  boot: BootPartitionFacts;
  grubenv: { state: "good" | "damaged" | "missing"; variables: Record<string, string> };
  /** /boot/slot.proven of the slot that runs: it was healthy once. */
  proven: boolean;
  /** /run/dualroot/health, the gate's last verdict since this boot. */
  health?: { state: string; message: string };
  /** What RAUC's service is doing, `idle` or `installing`; absent where it does not run. */
  raucOperation?: string;
  /** /etc/fstab of the slot that runs. */
  fstab: string;
  /** /etc/dualroot/command-line of the slot that runs. */
  commandLine?: string;
  records: Partial<Record<SlotName, SlotRecord>>;
  /** The highest counter that was ever committed here: `readCounterFloor`. */
  counterFloor?: number;
  /** What lies beside the package as its permit: `readPermit`. */
  permit?: PermitFacts;
}

export interface SlotVolume {
  slot: SlotName;
  /** `/dev/mapper/VA-root_b` */
  device: string;
  /** Name of the logical volume, `root_b`. */
  volume: string;
  /** Absent when the device is not there. */
  sizeBytes?: number;
  filesystemType?: string;
  /** Where it is mounted, our own folder left out. */
  mountedAt: string[];
  /** The kernel says that somebody uses it: a mount of any namespace, swap, a device on top. */
  isBusy: boolean;
}

/** Partition 2, mounted at /boot/dualroot. */
export interface BootPartitionFacts {
  isMounted: boolean;
  isReadOnly: boolean;
  freeBytes: number;
  /** For fstab. */
  filesystemUuid?: string;
  /** Sizes of the rescue system's files, by name; those that are missing are not listed. */
  rescueBytes: Record<string, number>;
}
