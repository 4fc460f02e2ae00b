import { mkdir } from "node:fs/promises";
import { userError } from "../../format/errors.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { openTree } from "../facts/tree.ts";
import { readVolumeGroups } from "../facts/volume-groups.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import { readMountTable, unmountBelow } from "../system/mounts.ts";
import type { Run } from "../system/run.ts";
import { waitUntil } from "../system/wait-until.ts";

/** The filesystem that holds the stash. */
export interface OldRoot {
  device: string;
  type: string;
  /** Set when it lies on LVM. */
  volumeGroup?: string;
}

export const oldRootFolder = "/run/dualroot/old";
/** USB and SAS disks may take that long to appear. */
const searchSeconds = 60;
const notDisks = /^(ram|loop|dm-|sr|fd|zram)/;

/** The old system replays no journal and LVM writes no metadata while this holds: nothing reaches a disk by mistake. */
export async function protectDisks(run: Run, readOnly: boolean): Promise<void> {
  for (const name of await openTree("/").list("/sys/block")) {
    if (notDisks.test(name)) continue;
    // A card reader without a card refuses; there is nothing to protect then.
    await run("blockdev", [readOnly ? "--setro" : "--setrw", `/dev/${name}`], { acceptExitCodes: [1] });
  }
}

/** Looks at every disk, partition and (activated read-only) logical volume until the filesystem shows up. */
export async function findOldRoot(run: Run, filesystemUuid: string): Promise<OldRoot> {
  let found: OldRoot | undefined;
  await waitUntil(searchSeconds, async () => {
    await protectDisks(run, true);
    found = await lookOnce(run, filesystemUuid);
    return found !== undefined;
  });
  if (found) return found;
  throw userError(
    {
      code: "stash-filesystem-not-found",
      message: `No filesystem with UUID ${filesystemUuid} on any disk the ramdisk can see.`,
      hint: "The ramdisk lacks the driver of this gateway's disk, or cannot read what lies under its root filesystem.",
    },
    "refused",
  );
}

async function lookOnce(run: Run, filesystemUuid: string): Promise<OldRoot | undefined> {
  const names = (await openTree("/").list("/sys/class/block")).filter((name) => !notDisks.test(name));
  for (const name of names) {
    const { type, uuid } = await probeSignatures(run, `/dev/${name}`);
    if (uuid === filesystemUuid && type) return { device: `/dev/${name}`, type };
  }
  for (const { name: group } of (await readVolumeGroups(run)).groups) {
    await activate(run, group, "readOnly");
    const prefix = `${group.replaceAll("-", "--")}-`;
    for (const entry of await openTree("/").list("/dev/mapper")) {
      if (!entry.startsWith(prefix)) continue;
      const { type, uuid } = await probeSignatures(run, `/dev/mapper/${entry}`);
      if (uuid === filesystemUuid && type)
        return { device: `/dev/mapper/${entry}`, type, volumeGroup: group };
    }
    await run("lvm", ["vgchange", "--activate", "n", group]);
  }
  return undefined;
}

async function activate(run: Run, group: string, mode: "readOnly" | "readWrite"): Promise<void> {
  const config = mode === "readOnly" ? ["--config", `activation/read_only_volume_list=["${group}"]`] : [];
  // 5: a volume of a kind this ramdisk has no target for (thin, cache) stays off; the root may still be there.
  await run("lvm", ["vgchange", "--activate", "y", ...config, group], { acceptExitCodes: [5] });
}

/** Mounts without writing a byte: no journal is replayed. */
export async function mountReadOnly(run: Run, { device, type }: OldRoot): Promise<string> {
  const noReplay: Record<string, string> = { xfs: "ro,norecovery", ext4: "ro,noload", ext3: "ro,noload" };
  await mkdir(oldRootFolder, { recursive: true });
  await loadFilesystems(run, [type]);
  await run("mount", ["-t", type, "-o", noReplay[type] ?? "ro", device, oldRootFolder]);
  return oldRootFolder;
}

/** For the report of a failure only: nothing of the conversion has been written then, and nothing will be. */
export async function mountWritable(run: Run, oldRoot: OldRoot): Promise<string> {
  await releaseOldRoot(run, oldRoot);
  await protectDisks(run, false);
  if (oldRoot.volumeGroup) await activate(run, oldRoot.volumeGroup, "readWrite");
  await mkdir(oldRootFolder, { recursive: true });
  await run("mount", ["-t", oldRoot.type, oldRoot.device, oldRootFolder]);
  return oldRootFolder;
}

export async function releaseOldRoot(run: Run, oldRoot: OldRoot): Promise<void> {
  if ((await readMountTable()).some(({ target }) => target === oldRootFolder))
    await unmountBelow(run, oldRootFolder);
  if (oldRoot.volumeGroup) await run("lvm", ["vgchange", "--activate", "n", oldRoot.volumeGroup]);
}
