import type { OverlayEntry } from "./overlay.ts";
import { rawPath } from "./raw-path.ts";

/** Drivers that the target's own tool has to put into every initramfs it makes, whatever machine it runs on. */
export interface InitramfsSettings {
  tool: "dracut" | "initramfs-tools";
  modules: readonly string[];
}

/**
 * A settings file of the target, so that an initramfs made anew on the gateway, now or by a kernel update in years, still starts
 * on all platforms of the release.
 */
export function initramfsSettingsFile({ tool, modules }: InitramfsSettings): OverlayEntry {
  const said = "Written by dualroot: drivers of the platforms that the release is for.";
  return tool === "dracut"
    ? {
        path: rawPath("etc/dracut.conf.d/50-dualroot-platforms.conf"),
        mode: 0o644,
        type: "file",
        content: Buffer.from(`# ${said}\nadd_drivers+=" ${modules.join(" ")} "\n`),
      }
    : // A hook, not a line in `modules`: what is listed there is also loaded, on every machine.
      {
        path: rawPath("etc/initramfs-tools/hooks/dualroot-platforms"),
        mode: 0o755,
        type: "file",
        content: Buffer.from(`#!/bin/sh
# ${said}
[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules ${modules.join(" ")}
`),
      };
}
