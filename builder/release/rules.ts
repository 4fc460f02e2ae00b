import { formatSize, GiB, KiB, MiB } from "../../format/sizes.ts";
import { leastDiskBytes } from "./least-disk.ts";
import type { Release } from "./release.ts";
import { rootRules } from "./root-rules.ts";
import type { RuleProblem } from "./rule-problem.ts";

const reservedMountPoints = [
  "/boot",
  "/boot/dualroot",
  "/dev",
  "/proc",
  "/sys",
  "/run",
  "/etc",
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib64",
  "/tmp",
];

/** What no single key can know: how the parts of a release fit together. Finds all problems. */
export function checkRules(release: Release): RuleProblem[] {
  return [
    ...volumeRules(release),
    ...rootRules(release),
    ...sizeRules(release),
    ...targetRules(release),
    ...preserveRules(release),
    ...oldSystemRules(release),
    ...raucRules(release),
  ];
}

function volumeRules({ layout }: Release): RuleProblem[] {
  const problems: RuleProblem[] = [];
  for (const [index, volume] of layout.volumes.entries()) {
    const at = (key: string): PropertyKey[] => ["layout", "volumes", index, key];
    if (layout.volumes.findIndex((other) => other.name === volume.name) < index) {
      problems.push({
        code: "volume-name-twice",
        message: `two volumes are named "${volume.name}"`,
        hint: "Give each volume its own name.",
        path: at("name"),
      });
    }
    const twin = layout.volumes.findIndex((other) => other.mountPoint === volume.mountPoint);
    if (twin < index && volume.mountPoint !== "/") {
      problems.push({
        code: "mount-point-twice",
        message: `volumes "${layout.volumes[twin]!.name}" and "${volume.name}" are both mounted at ${volume.mountPoint}`,
        hint: "Give each volume its own mount point.",
        path: at("mountPoint"),
      });
    }
    if (
      reservedMountPoints.includes(volume.mountPoint) ||
      /^\/(?:boot\/dualroot|dev|proc|sys|run)\//.test(volume.mountPoint) ||
      volume.mountPoint.split("/").some((part) => part === "." || part === "..")
    ) {
      problems.push({
        code: "mount-point-reserved",
        message: `no volume can be mounted at ${volume.mountPoint}`,
        hint: `Use a place of its own, such as /data. Not: ${reservedMountPoints.join(", ")}.`,
        path: at("mountPoint"),
      });
    }
    if (volume.sizeBytes % layout.extentBytes !== 0 || volume.sizeBytes === 0) {
      problems.push({
        code: "volume-size-uneven",
        message: `the size of volume "${volume.name}" is ${volume.sizeBytes} bytes, not a multiple of the extent size (${formatSize(layout.extentBytes)})`,
        hint: `Use a whole number of extents, at least one: for example ${formatSize(Math.max(1, Math.ceil(volume.sizeBytes / layout.extentBytes)) * layout.extentBytes)}.`,
        path: at("size"),
      });
    }
    const least = volume.filesystem === "xfs" ? 300 * MiB : 16 * MiB;
    if (volume.sizeBytes < least) {
      problems.push({
        code: "volume-too-small",
        message: `volume "${volume.name}" has ${formatSize(volume.sizeBytes)}, ${volume.filesystem} needs ${formatSize(least)}`,
        hint: "Make it larger.",
        path: at("size"),
      });
    }
  }
  return problems;
}

function sizeRules({ layout, requirements, compression }: Release): RuleProblem[] {
  const problems: RuleProblem[] = [];
  const needed = leastDiskBytes(layout);
  if (requirements.diskBytes !== undefined && requirements.diskBytes < needed) {
    problems.push({
      code: "volumes-do-not-fit",
      message: `the volumes and partitions need a disk of ${formatSize(needed)}, requirements.disk is ${formatSize(requirements.diskBytes)}`,
      hint: "Make volumes smaller, or raise requirements.disk.",
      path: ["requirements", "disk"],
    });
  }
  if (
    layout.extentBytes < MiB ||
    !Number.isInteger(Math.log2(layout.extentBytes)) ||
    layout.extentBytes > GiB
  ) {
    problems.push({
      code: "extent-size-wrong",
      message: `the extent size ${formatSize(layout.extentBytes)} is not a power of two from 1 MiB to 1 GiB`,
      hint: "Leave it out to get 4 MiB.",
      path: ["layout", "extentSize"],
    });
  }
  if (layout.biosBootBytes < MiB || layout.biosBootBytes > 64 * MiB) {
    problems.push({
      code: "bios-boot-size-wrong",
      message: `the BIOS boot partition has ${formatSize(layout.biosBootBytes)}, allowed are 1 MiB to 64 MiB`,
      hint: "Leave it out to get 2 MiB.",
      path: ["layout", "biosBootSize"],
    });
  }
  if (layout.bootBytes < 256 * MiB || layout.bootBytes > 16 * GiB) {
    problems.push({
      code: "boot-size-wrong",
      message: `the boot partition has ${formatSize(layout.bootBytes)}, allowed are 256 MiB to 16 GiB`,
      hint: "It holds GRUB and the rescue ramdisk. Leave it out to get 1 GiB.",
      path: ["layout", "bootSize"],
    });
  }
  if (
    compression.blockBytes < MiB ||
    compression.blockBytes > GiB ||
    compression.blockBytes % (4 * KiB) !== 0
  ) {
    problems.push({
      code: "block-size-wrong",
      message: `the xz block size is ${formatSize(compression.blockBytes)}, allowed are 1 MiB to 1 GiB`,
      hint: "Leave it out to get 16 MiB.",
      path: ["compression", "blockSize"],
    });
  }
  return problems;
}

function targetRules({ target }: Release): RuleProblem[] {
  const ours = target.commandLine.split(/\s+/).filter((word) => /^(root|rauc\.slot|panic)=/.test(word));
  return ours.map((word) => ({
    code: "command-line-word-ours",
    message: `the kernel command line cannot contain "${word}"`,
    hint: "root=, rauc.slot= and panic= differ by slot and are set by dualroot.",
    path: ["target", "commandLine"],
  }));
}

function oldSystemRules({ keepOldSystem, layout }: Release): RuleProblem[] {
  if (keepOldSystem !== "require" || layout.volumes.some(({ slot }) => slot === "B")) return [];
  return [
    {
      code: "old-system-needs-slot",
      message: "the old system can only be kept in a slot B, and the layout has none",
      hint: "Give the layout a second root volume with slot: B, or say keepOldSystem: never.",
      path: ["keepOldSystem"],
    },
  ];
}

function raucRules({ rauc, layout, compatible }: Release): RuleProblem[] {
  if (!rauc) return [];
  const problems: RuleProblem[] = [];
  const roots = layout.volumes.filter(({ slot }) => slot !== undefined);
  if (!roots.some(({ slot }) => slot === "B"))
    problems.push({
      code: "rauc-needs-slot",
      message: "RAUC writes the slot that does not run, and the layout has no slot B",
      hint: "Give the layout a second root volume with slot: B, or leave out the rauc section.",
      path: ["rauc"],
    });
  for (const { name, filesystem } of roots.filter((root) => root.filesystem !== "ext4"))
    problems.push({
      code: "rauc-root-not-ext4",
      message: `RAUC knows no slots with ${filesystem}, which the root volume "${name}" has`,
      hint: "Use ext4 for the root volumes, or leave out the rauc section.",
      path: ["rauc"],
    });
  // A key file loses blanks at both ends of a value and reads \\ as the start of an escape.
  if (compatible !== compatible.trim() || compatible.includes("\\"))
    problems.push({
      code: "rauc-compatible-unsafe",
      message: `the product word ${JSON.stringify(compatible)} would be another one in RAUC's system.conf`,
      hint: "Use one without \\ and without blanks at its ends.",
      path: ["compatible"],
    });
  return problems;
}

function preserveRules({ preserve }: Release): RuleProblem[] {
  const problems: RuleProblem[] = [];
  for (const [index, path] of preserve.entries()) {
    const parts = path.split("/").slice(1);
    if (path === "/" || parts.some((part) => part === "" || part === "." || part === ".." || part === "**")) {
      problems.push({
        code: "preserve-path-wrong",
        message: `"${path}" cannot be preserved`,
        hint: "Give an absolute path without //, . or ..; * matches within one name.",
        path: ["preserve", index],
      });
    }
  }
  return problems;
}
