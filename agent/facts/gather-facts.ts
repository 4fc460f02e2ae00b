import { statfs } from "node:fs/promises";
import { machine, networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import * as z from "zod";
import { readCounterFloor } from "../slot/read-counter-floor.ts";
import type { Run } from "../system/run.ts";
import { devicePath, readDisks } from "./block-devices.ts";
import { readBootFacts } from "./boot-facts.ts";
import { storageDrivers } from "./drivers.ts";
import type { DiskFacts, Facts, MountFacts, RootFacts } from "./facts.ts";
import { readInterfaces } from "./interfaces.ts";
import { mountHolding, parseMemory, parseMounts, parseOsRelease } from "./parse-proc.ts";
import { probeSignatures } from "./probe-signatures.ts";
import { kernelNameOf, plainUuid, readStack } from "./device-stack.ts";
import { openTree, type Tree } from "./tree.ts";
import { readVolumeGroups, type LvmFacts } from "./volume-groups.ts";

const systemSchema = z.object({ compatible: z.string(), slot: z.enum(["A", "B"]) });

/**
 * Looks at the machine: the same on an old CentOS 7, on Debian and in the ramdisk. Writes nothing, activates nothing.
 * `root` prefixes /proc, /sys, /etc and /boot, so that recorded trees can be read.
 */
export async function gatherFacts(options: {
  run: Run;
  root?: string;
  stashFolder?: string;
}): Promise<Facts> {
  const root = options.root ?? "/";
  const tree = openTree(root);
  const disks = await readDisks(tree, options.run);
  const lvm = await readVolumeGroups(options.run);
  const mounts = await readMounts(tree, root, lvm);
  const rootFacts = await readRoot(tree, options.run, mounts, disks, lvm);
  const converted = parseSystem(await tree.text("/etc/dualroot/system.json"));
  const compatible = (await tree.text("/etc/dualroot/compatible"))?.split("\n")[0]?.trim();
  const counterFloor = await readFloor(root);
  const freeBytes = (path: string): Promise<number> => readFreeBytes(join(root, path));
  return {
    architecture: machine(),
    firmware: (await tree.resolve("/sys/firmware/efi")) === undefined ? "bios" : "uefi",
    isRoot: process.getuid?.() === 0,
    kernelRelease: (await tree.text("/proc/sys/kernel/osrelease")) ?? "",
    kernelCommandLine: (await tree.text("/proc/cmdline")) ?? "",
    osName: parseOsRelease((await tree.text("/etc/os-release")) ?? "")["PRETTY_NAME"] ?? "unknown",
    memory: parseMemory((await tree.text("/proc/meminfo")) ?? ""),
    disks,
    mounts,
    volumeGroups: lvm.groups,
    ...(rootFacts ? { root: rootFacts } : {}),
    boot: await readBootFacts(tree, mounts, freeBytes),
    interfaces: await readInterfaces(tree, root === "/" ? networkInterfaces() : {}),
    storageDrivers: await storageDrivers(tree, disks),
    ...(converted ? { converted } : {}),
    ...(compatible ? { compatible } : {}),
    ...(counterFloor === undefined ? {} : { counterFloor }),
    stashFreeBytes: await freeBytes(options.stashFolder ?? "/var/lib"),
  };
}

/** Absent in the ramdisk, whose root lies in memory. */
async function readRoot(
  tree: Tree,
  run: Run,
  mounts: readonly MountFacts[],
  disks: readonly DiskFacts[],
  lvm: LvmFacts,
): Promise<RootFacts | undefined> {
  const mount = mountHolding(mounts, "/");
  if (mount === undefined || /^(rootfs|tmpfs|ramfs)$/.test(mount.type)) return undefined;
  const name = await kernelNameOf(tree, mount.device);
  const mapperName = name?.startsWith("dm-") ? await tree.text(`/sys/block/${name}/dm/name`) : undefined;
  const device = mapperName ? `/dev/mapper/${mapperName}` : name ? devicePath(name) : mount.source;
  const known = disks
    .flatMap((disk) => disk.partitions)
    .find((partition) => partition.path === device)?.filesystemUuid;
  const uuid = known ?? (name === undefined ? undefined : (await probeSignatures(run, device)).uuid) ?? "";
  const stack = await readStack(tree, mount.device, lvm.segments);
  return {
    device,
    filesystemType: mount.type,
    filesystemUuid: uuid,
    stack: stack.layers,
    disks: stack.disks,
    groupPhysicalVolumes: lvm.groups
      .filter((group) => stack.groupUuids.includes(plainUuid(group.uuid)))
      .flatMap((group) => group.physicalVolumes),
  };
}

/** With disks and bytes in use where a block device lies below. */
async function readMounts(tree: Tree, root: string, lvm: LvmFacts): Promise<MountFacts[]> {
  const mounts = parseMounts((await tree.text("/proc/self/mountinfo")) ?? "");
  for (const mount of mounts) {
    const { disks, layers } = await readStack(tree, mount.device, lvm.segments);
    if (disks.length === 0) continue;
    mount.disks = disks;
    mount.stack = layers;
    const usedBytes = await readUsedBytes(join(root, mount.target));
    if (usedBytes !== undefined) mount.usedBytes = usedBytes;
  }
  return mounts;
}

async function readUsedBytes(path: string): Promise<number | undefined> {
  try {
    const { blocks, bfree, bsize } = await statfs(path);
    return (blocks - bfree) * bsize;
  } catch {
    return undefined;
  }
}

/** Free for unprivileged writers on the filesystem that holds the path or its nearest existing parent. */
async function readFreeBytes(path: string): Promise<number> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch {
      if (folder === dirname(folder)) return 0;
    }
  }
}

/** Where a slot keeps it, with /data and without. */
async function readFloor(root: string): Promise<number | undefined> {
  const folders = ["/data/dualroot", "/var/lib/dualroot"];
  const floors = await Promise.all(folders.map((folder) => readCounterFloor(join(root, folder))));
  const known = floors.filter((floor) => floor !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}

/** A damaged file counts as "not converted by us": the checks then look at the disk itself. */
function parseSystem(text: string | undefined): Facts["converted"] {
  if (text === undefined) return undefined;
  try {
    const parsed = systemSchema.safeParse(JSON.parse(text));
    return parsed.success ? { slot: parsed.data.slot, compatible: parsed.data.compatible } : undefined;
  } catch {
    return undefined;
  }
}
