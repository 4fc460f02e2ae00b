import * as z from "zod";

/** Kinds of machines a release may promise to run on. */
export const platforms = ["kvm", "vmware", "hyperv", "xen", "baremetal"] as const;
export type Platform = (typeof platforms)[number];

const moduleNames = z.array(z.string().regex(/^\w+$/)).max(100);

/** What a target has of the drivers that a platform needs. Modules have `_` for `-`. */
export const platformDriversSchema = z.strictObject({
  platform: z.enum(platforms),
  /** The release names it: without these drivers it would not have been built. */
  promised: z.boolean(),
  /** Of its root disk, which the initramfs has to open. */
  disk: z.enum(["ready", "after-rebuild", "not-in-initramfs", "no-driver"]),
  /** Of its network card, loaded from the root filesystem. */
  network: z.enum(["ready", "no-driver"]),
  /** The kernel has them, its initramfs does not. */
  notInInitramfs: moduleNames,
  /** Neither has them. */
  absent: moduleNames,
});

export type PlatformDrivers = z.infer<typeof platformDriversSchema>;
