import type { FilesystemType } from "../../format/layout.ts";
import { bootMountPoint } from "./check-layout.ts";
import type { PlannedVolume } from "./step.ts";

/** Where the ramdisk mounts the new root; see docs/conventions.md. */
export const targetFolder = "/run/dualroot/target";

interface MountPoint {
  device: string;
  /** First field of fstab. */
  source: string;
  type: FilesystemType;
  mountPoint: string;
}

/** Everything mounted in the running slot A, a folder always before what lies below it. */
function mountPoints(volumes: readonly PlannedVolume[], bootDevice: string, bootUuid: string): MountPoint[] {
  const mounted = volumes
    .filter((volume) => volume.populated)
    .map(({ device, filesystem, mountPoint }) => ({ device, source: device, type: filesystem, mountPoint }));
  const boot = {
    device: bootDevice,
    source: `UUID=${bootUuid}`,
    type: "ext4" as const,
    mountPoint: bootMountPoint,
  };
  return [...mounted, boot].sort(
    (a, b) => depth(a.mountPoint) - depth(b.mountPoint) || compare(a.mountPoint, b.mountPoint),
  );
}

export interface PlannedMounts {
  mounts: { device: string; type: FilesystemType; path: string }[];
  fstab: string[];
}

/**
 * Only the root may stop the boot: any other filesystem that is damaged must leave a gateway that still comes up on the network
 * (`nofail`), where the health gate and a person can see it.
 */
export function planMounts(
  volumes: readonly PlannedVolume[],
  bootDevice: string,
  bootUuid: string,
): PlannedMounts {
  const points = mountPoints(volumes, bootDevice, bootUuid);
  return {
    mounts: points.map(({ device, type, mountPoint }) => ({
      device,
      type,
      path: mountPoint === "/" ? targetFolder : `${targetFolder}${mountPoint}`,
    })),
    fstab: points.map(({ source, type, mountPoint }) => {
      const isRoot = mountPoint === "/";
      const options = isRoot ? "defaults" : "defaults,nofail,x-systemd.device-timeout=180s";
      const check = type === "xfs" ? 0 : isRoot ? 1 : 2;
      return `${source} ${mountPoint} ${type} ${options} 0 ${check}`;
    }),
  };
}

function depth(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
