/** What the helper can mount; of anything else only its name is known. */
export const readableTypes: ReadonlySet<string> = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "vfat"]);

/** A device with something on it, as `lsblk`, `blkid` and `lvs` tell it, and what lies in it where it could be mounted. */
export interface FoundFilesystem {
  /** In whatever looks at it: `/dev/sda1`, `/dev/mapper/vg-root`. */
  device: string;
  /** Which disk of the image, from 0, and which partition, from 1; absent for volumes. */
  partition?: { disk: number; number: number };
  /** Of a logical volume; `uuid` as device-mapper has it: `LVM-`, the group's and the volume's own, without dashes. */
  volume?: { group: string; name: string; uuid: string };
  /** blkid's TYPE: `ext4`, `xfs`, `crypto_LUKS`, `swap`, … */
  type: string;
  uuid?: string;
  label?: string;
  partitionUuid?: string;
  partitionLabel?: string;
  sizeBytes: number;
  /** Why it could not be mounted. */
  error?: string;
  content?: {
    /** /etc/os-release, or the file it leads to. */
    osRelease?: string;
    /** /etc/fstab. */
    fstab?: string;
    /** It has a program that a kernel would start: /sbin/init, /usr/lib/systemd/systemd. */
    hasInit: boolean;
  };
}
