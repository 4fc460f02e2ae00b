import { stat } from "node:fs/promises";
import { userError } from "../../format/errors.ts";
import { readVolumeGroups } from "../facts/volume-groups.ts";
import type { Session } from "../ramdisk/session.ts";
import type { Run } from "../system/run.ts";
import { waitUntil } from "../system/wait-until.ts";
import { logicalVolume, type RootWords } from "./root-words.ts";

/**
 * Waits for the device and activates the one volume it is: all others are the booted system's own to activate, so that its
 * udev hears of them.
 */
export async function findRoot(
  { run, tell }: Pick<Session, "run" | "tell">,
  { root, waitSeconds }: RootWords,
): Promise<string> {
  const wanted = "device" in root ? root.device : `${root.tag}=${root.value}`;
  let found: string | undefined;
  let looks = 0;
  await waitUntil(waitSeconds, async () => {
    found = await ("device" in root ? byPath(run, wanted) : byTag(run, wanted));
    looks += 1;
    if (!found && looks === 1) tell(`dualroot: waiting for ${wanted}, ${waitSeconds} seconds at most.`);
    return found !== undefined;
  });
  if (found) return found;
  const { groups } = await readVolumeGroups(run);
  const volumes = groups.flatMap((group) =>
    (group.volumes ?? []).map((volume) => `${group.name}/${volume.name}`),
  );
  throw userError({
    code: "slot-not-found",
    message: `There is no ${wanted} on any disk that the ramdisk can see (logical volumes: ${volumes.join(", ") || "none"}).`,
    hint: "Check the word root= on the kernel command line, and that the disk is there: blkid.",
  });
}

async function byPath(run: Run, device: string): Promise<string | undefined> {
  if (await isBlockDevice(device)) return device;
  const volume = logicalVolume(device);
  if (!volume) return undefined;
  const name = `${volume.group}/${volume.volume}`;
  // 5: not there (yet).
  const { exitCode } = await run("lvm", ["lvchange", "--activate", "y", name], { acceptExitCodes: [3, 5] });
  if (exitCode !== 0) return undefined;
  const path = mapperPath(volume);
  return (await isBlockDevice(path)) ? path : undefined;
}

/** First what is there already, then volume by volume, leaving none active but the one. */
async function byTag(run: Run, tag: string): Promise<string | undefined> {
  const plain = await blkidFind(run, tag);
  if (plain) return plain;
  for (const group of (await readVolumeGroups(run)).groups) {
    for (const { name } of group.volumes ?? []) {
      const device = mapperPath({ group: group.name, volume: name });
      if (await isBlockDevice(device)) continue;
      const both = `${group.name}/${name}`;
      await run("lvm", ["lvchange", "--activate", "y", both], { acceptExitCodes: [5] });
      if ((await blkidFind(run, tag)) === device) return device;
      await run("lvm", ["lvchange", "--activate", "n", both], { acceptExitCodes: [5] });
    }
  }
  return undefined;
}

/** Without blkid's cache, which would know devices that are gone. */
async function blkidFind(run: Run, tag: string): Promise<string | undefined> {
  const args = ["-c", "/dev/null", "-l", "-o", "device", "-t", tag];
  const { stdout, exitCode } = await run("blkid", args, { acceptExitCodes: [2] });
  return exitCode === 0 ? stdout.trim().split("\n")[0] || undefined : undefined;
}

function mapperPath({ group, volume }: { group: string; volume: string }): string {
  return `/dev/mapper/${group.replaceAll("-", "--")}-${volume.replaceAll("-", "--")}`;
}

async function isBlockDevice(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isBlockDevice();
  } catch {
    return false;
  }
}
