import { volumeDevice, type Layout } from "../../format/layout.ts";
import { raucDataFolder, raucPlaces } from "./rauc-places.ts";

/**
 * RAUC's system.conf for a layout with two root volumes. Devices are written as the mount table shows them, because RAUC compares
 * the strings; `plain` bundles are refused because their content can change between check and use (CVE-2020-25860).
 */
export function systemConfig({ compatible, layout }: { compatible: string; layout: Layout }): string {
  const slots = layout.volumes
    .flatMap((volume) =>
      volume.slot === undefined ? [] : { device: volumeDevice(layout, volume), slot: volume.slot },
    )
    .sort((a, b) => (a.slot < b.slot ? -1 : 1));
  return [
    "# Written by dualroot build; see docs/rauc.md.",
    "[system]",
    `compatible=${compatible}`,
    "bootloader=grub",
    `grubenv=${raucPlaces.grubenv}`,
    `data-directory=${raucDataFolder(layout)}`,
    "bundle-formats=-plain",
    "",
    "[keyring]",
    `path=${raucPlaces.keyring}`,
    ...slots.flatMap(({ device, slot }, index) => [
      "",
      `[slot.rootfs.${index}]`,
      `device=${device}`,
      "type=ext4",
      `bootname=${slot}`,
    ]),
    "",
  ].join("\n");
}
