import type { Layout } from "../../format/layout.ts";

/** Where RAUC's files lie in a slot. RAUC 1.8 reads no other system.conf. */
export const raucPlaces = {
  program: "/usr/bin/rauc",
  systemConfig: "/etc/rauc/system.conf",
  keyring: "/etc/rauc/keyring.pem",
  /** dualroot's health gate marks a slot good; this unit of other distributions would do so before it. */
  markGoodService: "/etc/systemd/system/rauc-mark-good.service",
  grubenv: "/boot/dualroot/grub/grubenv",
} as const;

/** RAUC's own records, for both slots the same where the layout has a place for them. */
export function raucDataFolder(layout: Layout): string {
  return layout.volumes.some(({ mountPoint }) => mountPoint === "/data") ? "/data/rauc" : "/var/lib/rauc";
}
