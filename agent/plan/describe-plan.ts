import { gptSectorBytes } from "../../format/partition-table.ts";
import { formatSize } from "../../format/sizes.ts";
import { bootMountPoint, stashVolume } from "./check-layout.ts";
import { describeGrowth } from "./describe-growth.ts";
import { partitionPath } from "./partition-path.ts";
import type { ConversionPlan, ExtentRange, PlannedVolume, Step } from "./step.ts";

/** The plan for people: the future disk as `lsblk` would draw it, then the steps. Printed by `--dry-run`. */
export function describePlan(plan: ConversionPlan): string[] {
  return [
    `${plan.disk} after the conversion to ${plan.release}:`,
    "",
    ...describeDisk(plan),
    "",
    describeGrowth(plan),
    "",
    "Steps:",
    ...plan.steps.map((step, index) => {
      const detail = describeStep(step);
      return `${String(index + 1).padStart(3)}. ${step.title}${detail ? `: ${detail}` : ""}`;
    }),
  ];
}

interface Row {
  tree: string;
  size: string;
  type: string;
  filesystem: string;
  place: string;
}

/** The tree of the future disk alone, columns aligned. */
export function describeDisk(plan: ConversionPlan): string[] {
  const { table, volumes, extentBytes, reserved } = plan;
  const rows: Row[] = [
    { tree: "NAME", size: "SIZE", type: "TYPE", filesystem: "FSTYPE", place: "USED FOR" },
    {
      tree: shortName(plan.disk),
      size: formatSize(table.diskSectors * table.sectorBytes),
      type: "disk",
      filesystem: "",
      place: "GPT",
    },
  ];
  table.partitions.forEach(({ number, firstSector, lastSector }, index) => {
    const isLast = index === table.partitions.length - 1;
    rows.push({
      tree: `${isLast ? "└─" : "├─"}${shortName(partitionPath(plan.disk, number))}`,
      size: formatSize((lastSector - firstSector + 1) * gptSectorBytes),
      type: "part",
      filesystem: ["", "ext4", "LVM2_member"][number - 1] ?? "",
      place: ["GRUB", bootMountPoint, `volume group ${plan.volumeGroup}`][number - 1] ?? "",
    });
  });
  volumes.forEach((volume, index) => {
    rows.push({
      tree: `  ${index === volumes.length - 1 && reserved.length === 0 ? "└─" : "├─"}${shortName(volume.device)}`,
      size: formatSize(countOf(volume.extents) * extentBytes),
      type: "lvm",
      filesystem: volume.filesystem,
      place: describeUse(volume, plan),
    });
  });
  if (reserved.length > 0) {
    rows.push({
      tree: `  └─${plan.volumeGroup}-${stashVolume}`,
      size: formatSize(countOf(reserved) * extentBytes),
      type: "lvm",
      filesystem: "",
      place: `the package${piecesOf(reserved)}, until the new system is committed`,
    });
  }
  return align(rows);
}

function describeUse(volume: PlannedVolume, { steps }: ConversionPlan): string {
  const pieces = piecesOf(volume.extents);
  if (volume.slot === undefined) return `${volume.mountPoint}${pieces}`;
  const isOldSystem = steps.some(
    (step) => step.kind === "restore-old-system" && step.device === volume.device,
  );
  return `${volume.populated ? "/" : isOldSystem ? "the old system" : "empty"}, slot ${volume.slot}${pieces}`;
}

/** What a step's title leaves open. */
function describeStep(step: Step): string {
  switch (step.kind) {
    case "capture-old-system":
      return `${step.filesystems.map(({ mountPoint }) => mountPoint).join(", ")} into ${step.ranges ? "the stash" : "the stash or memory"}`;
    case "restore-old-system":
      return `${step.osName} on ${step.device}`;
    case "release-old-system":
      return step.volumeGroups.length > 0 ? `volume group ${step.volumeGroups.join(", ")}` : "";
    case "wipe-signatures":
      return `${formatSize(step.ranges.reduce((total, range) => total + range.sizeBytes, 0))} in ${step.ranges.length} places`;
    case "write-partition-table":
      return `${step.table.partitions.length} partitions on ${step.disk}, GPT`;
    case "create-volume-group":
      return `on ${step.device}`;
    case "make-filesystem":
      return `${step.type} on ${step.device}`;
    case "extract-rootfs":
      return `${formatSize(step.archiveBytes)}, ${formatSize(step.unpackedBytes)} unpacked`;
    case "restore-identity":
      return `addresses for ${step.network}`;
    case "rebuild-initramfs":
      return `${step.tool}, kernel ${step.kernelVersion}`;
    case "install-boot-files":
      return `GRUB, ${step.slots.length === 1 ? "one slot" : `${step.slots.length} slots`}, rescue ramdisk`;
    case "place-stash":
      return `${formatSize(step.files.reduce((total, { range }) => total + range.sizeBytes, 0))} on ${step.disk}`;
    case "arm-resume-loader":
      return "from here on a power cut costs time only";
    case "write-boot-sector":
      return "the last write";
    case "create-volumes":
    case "mount-target":
    case "write-fstab":
    case "verify-target":
    case "save-report":
    case "unmount-target":
      return "";
  }
}

function piecesOf(extents: readonly ExtentRange[]): string {
  return extents.length > 1 ? ` (in ${extents.length} pieces)` : "";
}

function countOf(extents: readonly ExtentRange[]): number {
  return extents.reduce((total, range) => total + range.count, 0);
}

function shortName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function align(rows: readonly Row[]): string[] {
  const width = (key: keyof Row): number => Math.max(...rows.map((row) => row[key].length));
  const widths = {
    tree: width("tree"),
    size: width("size"),
    type: width("type"),
    filesystem: width("filesystem"),
  };
  return rows.map(({ tree, size, type, filesystem, place }) =>
    [
      tree.padEnd(widths.tree),
      size.padStart(widths.size),
      type.padEnd(widths.type),
      filesystem.padEnd(widths.filesystem),
      place,
    ]
      .join("  ")
      .trimEnd(),
  );
}
