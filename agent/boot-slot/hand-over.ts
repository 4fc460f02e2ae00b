import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootFolder } from "./mount-root.ts";

/** /init reads it when the agent has ended well: the folder of the new root and the program to start there, a line each. */
const marker = "/run/dualroot/switch-root";

export async function handOver(init: string): Promise<void> {
  await writeFile(marker, `${rootFolder}\n${init}\n`);
}

/**
 * There is no udev here, so the booted system's would take the root's device-mapper device for one that is not set up yet, and
 * units that wait for it would wait for ever. This is what udev itself leaves behind in an initramfs that has one.
 */
export async function introduceToUdev(device: string, run = "/run"): Promise<void> {
  if (!device.startsWith("/dev/mapper/")) return;
  const { rdev } = await stat(device);
  const folder = join(run, "udev/data");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `b${majorOf(rdev)}:${minorOf(rdev)}`), "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\n");
}

/** The kernel's 12 and 20 bits, as glibc packs them for small numbers. */
function majorOf(device: number): number {
  return (device >> 8) & 0xfff;
}

function minorOf(device: number): number {
  return (device & 0xff) | ((device >> 12) & 0xfff00);
}
