import { UserError, type Problem } from "../../format/errors.ts";
import { packageFiles, type Manifest } from "../../format/manifest.ts";
import { gptSectorBytes, type PlannedTable } from "../../format/partition-table.ts";
import type { Stash } from "../../format/stash.ts";
import type { DiskFacts, Facts } from "../facts/facts.ts";
import { oldSystemSteps } from "../old-system/old-system-steps.ts";
import { packageFileBytes } from "../package/package-file-bytes.ts";
import { checkDiskSize } from "./check-disk-size.ts";
import { bootMountPoint, checkLayout } from "./check-layout.ts";
import { deriveLvmUuid, deriveUuid } from "./derive-uuid.ts";
import { findDisk, type WantedDisk } from "./find-disk.ts";
import { partitionPath } from "./partition-path.ts";
import { adaptTable, checkTemplate, partitionBytes, planPartitions } from "./partitions.ts";
import { planMounts, targetFolder } from "./plan-mounts.ts";
import { planPower, type PowerMode, type PowerPlan } from "./plan-power.ts";
import { planVolumes } from "./plan-volumes.ts";
import type { ByteRange, ConversionPlan, PlannedVolume, Step } from "./step.ts";
import { wipeRanges } from "./wipe-ranges.ts";

export interface PlanInput {
  manifest: Manifest;
  facts: Facts;
  stash: WantedDisk & Pick<Stash, "consoles"> & KeptSystem;
  /** The package's own table, where it is at hand: it must agree with the manifest. */
  template?: PlannedTable;
  /** Bytes of the disk that must stay as they are, such as the stash; none in ram mode. */
  reserved?: readonly ByteRange[];
  /** How a power cut is met; `none` when absent. */
  power?: PowerMode;
  /** With `place`: the files of the stash. */
  stashFiles?: readonly { name: string; sizeBytes: number }[];
  /** The old system's archive for slot B: to be made now, made already, or not wanted (the default). */
  oldSystem?: "capture" | "captured" | "none";
}

/** What the stash says of the old system; nothing where it is not kept. */
type KeptSystem = Partial<Pick<Stash, "oldSystem" | "space" | "files">>;

/** The whole conversion as a value. Throws a refusal (UserError) that names everything that stands against it. */
export function planConversion(input: PlanInput): ConversionPlan {
  const { manifest, facts, stash, reserved = [], power = "none" } = input;
  const { layout } = manifest;
  const found = findDisk(stash, facts.disks);
  if ("problem" in found) throw new UserError([found.problem], "refused");
  const { disk } = found;
  refuse([
    ...checkLayout(layout),
    ...(input.template ? checkTemplate(input.template, layout) : []),
    ...checkDiskSize(manifest, disk),
  ]);

  const diskSectors = disk.sizeBytes / gptSectorBytes;
  const table = input.template
    ? adaptTable(input.template, diskSectors, stash.seed)
    : planPartitions(layout, diskSectors, stash.seed);
  const placed = planVolumes({ layout, seed: stash.seed, partition: partitionBytes(table, 3), reserved });
  refuse(placed.problems);
  const { stashFiles = [] } = input;
  const { consoles } = stash;
  const powered = planPower({ power, stashFiles, consoles, disk, table, reserved, placed });

  const bootFilesystemUuid = deriveUuid(stash.seed, "filesystem boot");
  const release = `${manifest.name} ${manifest.version}`;
  const shape = {
    release,
    disk: disk.path,
    table,
    volumeGroup: layout.volumeGroup,
    extentBytes: layout.extentBytes,
  };
  const plan = {
    format: 1 as const,
    ...shape,
    reserved: powered.reserved,
    volumes: placed.volumes,
    bootFilesystemUuid,
  };
  return { ...plan, steps: planSteps(input, disk, plan, powered) };
}

/** The order is the design: nothing boots the new system before everything was read back, and sector 0 comes last. */
function planSteps(
  { manifest, facts, stash, oldSystem = "none" }: PlanInput,
  disk: DiskFacts,
  plan: Omit<ConversionPlan, "steps">,
  { arming, isArmed, kept }: PowerPlan,
): Step[] {
  const { volumes, table, volumeGroup, extentBytes } = plan;
  const boot = partitionPath(disk.path, 2);
  const physicalVolume = partitionPath(disk.path, 3);
  const { mounts, fstab } = planMounts(volumes, boot, plan.bootFilesystemUuid);
  const target = targetFolder;
  const {
    kernel,
    initramfs,
    kernelVersion,
    commandLine,
    rebuildInitramfs,
    network,
    indexSha256,
    unpackedBytes,
  } = manifest.target;
  const bootFolder = `${target}${bootMountPoint}`;
  const volumeGroups = groupsOn(disk, facts);
  const { capture, restore } = oldSystemSteps({
    manifest,
    stash,
    state: oldSystem,
    plan,
    volumeGroups,
    target,
    bootMountPoint,
  });
  return [
    ...(capture ? [capture] : []),
    {
      kind: "release-old-system",
      title: "Let go of the old system",
      disk: disk.path,
      volumeGroups,
    },
    ...arming,
    {
      kind: "wipe-signatures",
      title: "Clear the old structures",
      disk: disk.path,
      ranges: wipeRanges(disk, table, kept),
    },
    {
      kind: "write-partition-table",
      title: "Write the partition table",
      disk: disk.path,
      table,
      sector0: isArmed ? "keep" : "protective-mbr",
    },
    {
      kind: "create-volume-group",
      title: `Create the volume group ${volumeGroup}`,
      device: physicalVolume,
      physicalVolumeUuid: deriveLvmUuid(stash.seed, "physical volume"),
      name: volumeGroup,
      extentBytes,
    },
    {
      kind: "create-volumes",
      title: `Create the volumes ${volumes.map((volume) => volume.name).join(", ")}`,
      group: volumeGroup,
      device: physicalVolume,
      volumes: volumes.map(({ name, extents }) => ({ name, extents })),
      kept: plan.reserved,
    },
    {
      kind: "make-filesystem",
      title: "Make the boot filesystem",
      device: boot,
      type: "ext4",
      uuid: plan.bootFilesystemUuid,
      label: "dualroot-boot",
      readByGrub: true,
    },
    ...volumes.map((volume) => makeFilesystem(volume)),
    { kind: "mount-target", title: "Mount the new system", mounts },
    {
      kind: "extract-rootfs",
      title: "Unpack the new system",
      target,
      archiveBytes: packageFileBytes(manifest, packageFiles.rootfs),
      unpackedBytes,
    },
    { kind: "restore-identity", title: "Restore the gateway's identity", target, network },
    { kind: "write-fstab", title: "Write fstab", target, lines: fstab },
    ...(rebuildInitramfs === "none"
      ? []
      : [
          {
            kind: "rebuild-initramfs" as const,
            title: "Rebuild the initramfs",
            target,
            tool: rebuildInitramfs,
            kernelVersion,
            initramfs,
          },
        ]),
    ...(restore ? [restore] : []),
    {
      kind: "install-boot-files",
      title: "Install the boot files",
      target,
      bootFolder,
      volumeGroup,
      slots: volumes.flatMap(({ slot, device, populated }) =>
        slot ? [{ name: slot, device, populated }] : [],
      ),
      kernel,
      initramfs,
      commandLine,
      consoles: stash.consoles,
    },
    { kind: "verify-target", title: "Read everything back", target, bootFolder, indexSha256 },
    { kind: "save-report", title: "Save the report", target, folder: `${target}${reportFolder(volumes)}` },
    { kind: "unmount-target", title: "Unmount the new system", target },
    {
      kind: "write-boot-sector",
      title: "Make the disk boot the new system",
      disk: disk.path,
      biosBoot: partitionBytes(table, 1),
    },
  ];
}

function makeFilesystem({ name, device, filesystem, filesystemUuid, label, slot }: PlannedVolume): Step {
  return {
    kind: "make-filesystem",
    title: `Make the ${name} filesystem`,
    device,
    type: filesystem,
    uuid: filesystemUuid,
    label,
    // GRUB reads kernel and initramfs from the slot itself.
    readByGrub: slot !== undefined,
  };
}

/** Folder in the target for report and log: on the data volume, which outlives slots. */
function reportFolder(volumes: readonly PlannedVolume[]): string {
  return volumes.some((volume) => volume.mountPoint === "/data") ? "/data/dualroot" : "/var/lib/dualroot";
}

/** Volume groups with a physical volume on the disk or one of its partitions. */
export function groupsOn(disk: DiskFacts, facts: Facts): string[] {
  const paths = new Set([disk.path, ...disk.partitions.map((partition) => partition.path)]);
  return (facts.volumeGroups ?? [])
    .filter((group) => group.physicalVolumes.some((path) => paths.has(path)))
    .map((group) => group.name);
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UserError(problems, "refused");
}
