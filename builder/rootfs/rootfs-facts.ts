import { exists, readTextIfExists } from "../../agent/system/files.ts";
import { findKernels, type KernelFacts } from "./find-kernels.ts";
import { initramfsContents } from "./initramfs-contents.ts";
import { kernelDrivers, type KernelDrivers } from "./kernel-drivers.ts";
import { readNetworkFacts, type NetworkFacts } from "./network-family.ts";
import type { RootSource } from "../inputs/root-source.ts";
import { rootedPath } from "./rooted-path.ts";
import { readSelinuxFacts, type SelinuxFacts } from "./selinux-facts.ts";

/** What the root filesystem is; decides nothing. */
export interface RootfsFacts {
  osName: string;
  /** Newest first. */
  kernels: KernelFacts[];
  network: NetworkFacts;
  initramfsTools: boolean;
  dracut: boolean;
  lvm: boolean;
  systemd: boolean;
  /** Absent: it has no policy to enforce. */
  selinux?: SelinuxFacts;
  /** Of the newest kernel that has image, modules and initramfs; absent when there is none. */
  boot?: { kernel: Required<KernelFacts>; drivers: KernelDrivers; initramfs: string[] };
}

/** `overlay`: the release's own, which may bring settings. */
export async function readRootfsFacts(source: RootSource, overlay: string | undefined): Promise<RootfsFacts> {
  const { root } = source;
  const has = async (path: string) => await exists(await rootedPath(root, path));
  const kernels = await findKernels(root);
  const complete = kernels.find((kernel): kernel is Required<KernelFacts> =>
    Boolean(kernel.image && kernel.modules && kernel.initramfs),
  );
  const selinux = await readSelinuxFacts(source, overlay);
  return {
    osName: osNameOf((await readTextIfExists(await rootedPath(root, "/etc/os-release"))) ?? ""),
    kernels,
    network: await readNetworkFacts(root),
    initramfsTools: await has("/usr/sbin/update-initramfs"),
    dracut: (await has("/usr/bin/dracut")) || (await has("/usr/sbin/dracut")),
    lvm: (await has("/usr/sbin/lvm")) || (await has("/sbin/lvm")),
    systemd: await has("/usr/lib/systemd/systemd"),
    ...(selinux ? { selinux } : {}),
    ...(complete
      ? {
          boot: {
            kernel: complete,
            drivers: await kernelDrivers(root, complete.modules),
            initramfs: await initramfsContents(await rootedPath(root, complete.initramfs)),
          },
        }
      : {}),
  };
}

/** PRETTY_NAME, else NAME and VERSION. */
export function osNameOf(osRelease: string): string {
  const value = (key: string) =>
    new RegExp(`^${key}=(?:"([^"]*)"|'([^']*)'|(\\S*))`, "m")
      .exec(osRelease)
      ?.slice(1)
      .find((text) => text !== undefined);
  const name = value("PRETTY_NAME") ?? [value("NAME"), value("VERSION")].filter(Boolean).join(" ");
  return name.replaceAll(/[\u0000-\u001f\u007f]/g, " ").trim() || "unknown system";
}
