/** The kernel's name of a partition: `/dev/sda3`, but `/dev/nvme0n1p3` and `/dev/mmcblk0p3` where the disk's name ends in a digit. */
export function partitionPath(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}
