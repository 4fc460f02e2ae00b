import type { NetworkFamily } from "../../format/manifest.ts";
import type { OverlayEntry } from "./overlay.ts";
import type { SelinuxPlan } from "../plan/judge-selinux.ts";
import { initramfsSettingsFile, type InitramfsSettings } from "./initramfs-settings.ts";
import { rawPath } from "./raw-path.ts";

/** systemd-networkd's links as `systemctl enable` makes them. */
const networkdLinks: [string, string][] = [
  ["etc/systemd/system/dbus-org.freedesktop.network1.service", "systemd-networkd.service"],
  ["etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "systemd-networkd.service"],
  ["etc/systemd/system/sockets.target.wants/systemd-networkd.socket", "systemd-networkd.socket"],
  [
    "etc/systemd/system/network-online.target.wants/systemd-networkd-wait-online.service",
    "systemd-networkd-wait-online.service",
  ],
];

/** What every package lays into the target besides the overlays. */
export function generatedFiles(options: {
  enableNetworkd: boolean;
  mountPoints: readonly string[];
  selinux: SelinuxPlan;
  selinuxConfig?: string;
  initramfsSettings?: InitramfsSettings;
}): OverlayEntry[] {
  return [
    // Empty, not absent: stage 2 fills in the old one, and without it systemd makes a new one on first boot.
    { path: rawPath("etc/machine-id"), mode: 0o444, type: "file", content: Buffer.alloc(0) },
    { path: rawPath("boot/dualroot"), mode: 0o755, type: "folder" },
    ...(options.selinux === "relabel"
      ? [{ path: rawPath(".autorelabel"), mode: 0o644, type: "file" as const, content: Buffer.alloc(0) }]
      : []),
    ...(options.selinuxConfig === undefined
      ? []
      : [
          {
            path: rawPath("etc/selinux/config"),
            mode: 0o644,
            type: "file" as const,
            content: Buffer.from(options.selinuxConfig),
          },
        ]),
    ...(options.initramfsSettings === undefined ? [] : [initramfsSettingsFile(options.initramfsSettings)]),
    ...options.mountPoints.map((path): OverlayEntry => ({
      path: rawPath(path.slice(1)),
      mode: 0o755,
      type: "folder",
    })),
    ...(options.enableNetworkd ? networkdLinks : []).map(([path, unit]): OverlayEntry => ({
      path: rawPath(path),
      mode: 0o777,
      type: "link",
      target: `/lib/systemd/system/${unit}`,
    })),
  ];
}

/** Only for a target whose network is given as networkd's files, but where nobody starts it. */
export function needsNetworkdEnabled(
  family: NetworkFamily,
  state: "enabled" | "installed" | "absent",
): boolean {
  return family === "networkd" && state === "installed";
}
