import { formatSize } from "../../format/sizes.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import { layoutTree } from "./layout-tree.ts";
import { table } from "./table.ts";
import { describeRauc } from "./rauc.ts";
import { describeKeeping } from "./old-system.ts";

const shownPatterns = 8;

export function buildPlanLines(plan: BuildPlan): string[] {
  const { release, target, rootfs, ramdiskKernel, signing } = plan;
  const leftBytes = rootfs.left.reduce((sum, { bytes }) => sum + bytes, 0);
  const leftEntries = rootfs.left.reduce((sum, { entries }) => sum + entries, 0);
  return [
    `${release.name} ${release.version} for ${release.compatible} (counter ${release.counter})`,
    "",
    ...table(
      [
        ["root filesystem", rootfs.source],
        ["", `${target.osName}, ${rootfs.entries} entries, ${formatSize(rootfs.unpackedBytes)}`],
        ["left out", `${leftEntries} entries, ${formatSize(leftBytes)}`],
        ...rootfs.left
          .slice(0, shownPatterns)
          .map(({ pattern, entries, bytes }) => ["", `${pattern}  (${entries}, ${formatSize(bytes)})`]),
        ["kernel", `${target.kernel} with ${target.initramfs}`],
        [
          "initramfs",
          target.rebuildInitramfs === "none"
            ? "finds its root as it is"
            : `rebuilt on the gateway by ${target.rebuildInitramfs}; it lacks ${plan.initramfsMissing.join("; ")}`,
        ],
        ["command line", target.commandLine || "(nothing added)"],
        [
          "network",
          `${target.network}${plan.enableNetworkd ? "; systemd-networkd is enabled, it was not" : ""}`,
        ],
        ["ramdisk kernel", ramdiskKernel === "target" ? "the target's" : ramdiskKernel.image],
        ["preserved", plan.preserve.join(", ") || "(identity only)"],
        ["old system", describeKeeping(plan.keepOldSystem)],
        ["RAUC", describeRauc(plan.rauc?.trusts)],
        ...(plan.rauc?.systemConfig === "own" ? [["", "with the release's own system.conf"]] : []),
        ["signed by", `${signing.keyId} (${signing.role})`],
        ["trusts", plan.keys.map((key) => `${key.keyId} (${key.role})`).join(", ")],
        ["times up to", new Date(plan.sourceDateEpoch * 1000).toISOString()],
      ],
      { indent: "  " },
    ),
    "",
    ...layoutTree(plan.layout, plan.diskBytes),
  ];
}
