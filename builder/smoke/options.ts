/** What `dualroot smoke` was asked for, read and checked. */
export interface SmokeOptions {
  packageFolder: string;
  /** Disk image of a gateway; only ever read. */
  gateway: string;
  user: string;
  password: string;
  memoryBytes: number;
  bootMethod: "auto" | "kexec" | "grub";
  processor: "max" | "plain";
  macAddress: string;
  /** Serve the package over HTTP instead of on a second disk. */
  fromUrl: boolean;
  outputFolder: string;
  /** Leave the converted disk in the output folder. */
  keep: boolean;
}
