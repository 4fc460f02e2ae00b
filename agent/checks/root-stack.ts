import type { RefusalCode } from "../../format/refusal-codes.ts";
import type { RootFacts } from "../facts/facts.ts";
import { fail, type Check, type Finding } from "./check.ts";

type Layer = RootFacts["stack"][number];

/** Layers we can take a disk from under, and those we cannot. */
const refused: Partial<Record<Layer, { code: RefusalCode; what: string }>> = {
  raid: { code: "disk-is-raid", what: "on a RAID array" },
  multipath: { code: "disk-is-multipath", what: "on a multipath device" },
  crypt: { code: "disk-is-encrypted", what: "encrypted" },
  "lvm-other": {
    code: "volumes-not-linear",
    what: "on a volume that is not linear (striped, mirrored, thin or cached)",
  },
  loop: { code: "root-stack-unsupported", what: "on a loop device" },
  unknown: { code: "root-stack-unsupported", what: "on a kind of device that is not known" },
};

/** Root filesystem -> (linear volume) -> partition -> one whole disk: anything else is refused. */
export const rootStack: Check = {
  name: "root-stack",
  title: "Root filesystem",
  run: ({ stage, facts }) => {
    if (stage === "ramdisk") return undefined;
    const { root } = facts;
    if (!root) {
      return [
        fail({
          code: "root-unknown",
          message: "The disk of the root filesystem is not known.",
          hint: "Run it on the installed system itself, not in a container, a live system or a chroot.",
        }),
      ];
    }
    const findings = [...new Set(root.stack)].flatMap((layer) => refuseLayer(root, layer));
    if (root.disks.length !== 1 && findings.length === 0) {
      findings.push(
        fail({
          code: root.disks.length === 0 ? "root-unknown" : "root-on-several-disks",
          message: `The root filesystem ${root.device} lies on ${root.disks.length === 0 ? "no disk we can see" : `${root.disks.length} disks (${root.disks.join(", ")})`}; it must be one.`,
          hint: "Move the root filesystem to one disk first.",
        }),
      );
    }
    if (root.groupPhysicalVolumes.length > 1) {
      findings.push(
        fail({
          code: "several-physical-volumes",
          message: `The volume group of ${root.device} has ${root.groupPhysicalVolumes.length} physical volumes (${root.groupPhysicalVolumes.join(", ")}); it must be one.`,
          hint: "Empty the others with pvmove and take them out with vgreduce.",
        }),
      );
    }
    if (findings.length > 0) return findings;
    return `${root.device} (${root.filesystemType}) on ${root.disks[0] ?? "no disk"}`;
  },
};

function refuseLayer(root: RootFacts, layer: Layer): Finding[] {
  const found = refused[layer];
  if (!found) return [];
  const { code, what } = found;
  return [
    fail({
      code,
      message: `The root filesystem ${root.device} is ${what}.`,
      hint: "This gateway cannot be converted in place; install it anew.",
    }),
  ];
}

/** What the ramdisk mounts without a question: `requirements` of every package. */
const alwaysReadable = ["ext2", "ext3", "ext4", "xfs"];

export const rootFilesystem: Check = {
  name: "root-filesystem",
  title: "Root filesystem type",
  run: ({ facts, manifest }) => {
    const type = facts.root?.filesystemType;
    if (type === undefined) return undefined;
    if (alwaysReadable.includes(type) || manifest.ramdisk.drivers.includes(type)) return type;
    return [
      fail({
        code: "root-filesystem-unreadable",
        message: `The root filesystem is ${type}; the ramdisk reads ${alwaysReadable.join(", ")}.`,
        hint: "Build a package whose ramdisk has that filesystem.",
      }),
    ];
  },
};
