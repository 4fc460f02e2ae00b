import { formatSize } from "../../format/sizes.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import { layoutTree } from "./layout-tree.ts";
import { leftOutByReason } from "./left-out.ts";
import { platformRows } from "./platforms.ts";
import { table } from "./table.ts";
import { describeRauc } from "./rauc.ts";
import { describeKeeping } from "./old-system.ts";

/** For each reason. */
const shownPatterns = 3;

export function buildPlanLines(plan: BuildPlan): string[] {
  const { release, target, rootfs, ramdiskKernel, signing } = plan;
  const leftBytes = rootfs.left.reduce((sum, { bytes }) => sum + bytes, 0);
  const leftEntries = rootfs.left.reduce((sum, { entries }) => sum + entries, 0);
  return [
    `${release.name} ${release.version} for ${release.compatible} (counter ${release.counter})`,
    "",
    ...table(
      [
        ["root filesystem", `${rootfs.source} (${rootfs.kind})`],
        ["", `${target.osName}, ${rootfs.entries} entries, ${formatSize(rootfs.unpackedBytes)}`],
        ["left out", `${leftEntries} entries, ${formatSize(leftBytes)}`],
        ...leftOutByReason(rootfs.left).flatMap(({ why, entries, bytes }) => [
          ["", `${why}: ${formatSize(bytes)}, ${entries} entries`],
          ...rootfs.left
            .filter((left) => left.why === why)
            .slice(0, shownPatterns)
            .map((left) => ["", `  ${left.pattern}  (${left.entries}, ${formatSize(left.bytes)})`]),
        ]),
        ["kernel", `${target.kernel} with ${target.initramfs}`],
        [
          "initramfs",
          target.rebuildInitramfs === "none"
            ? "finds its root as it is"
            : `rebuilt on the gateway by ${target.rebuildInitramfs}; it lacks ${plan.initramfsMissing.join("; ")}`,
        ],
        ...platformRows(target.platforms),
        ["command line", target.commandLine || "(nothing added)"],
        [
          "network",
          `${target.network}${plan.enableNetworkd ? "; systemd-networkd is enabled, it was not" : ""}`,
        ],
        ["SELinux", describeSelinux(plan.selinux)],
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

function describeSelinux(plan: BuildPlan["selinux"]): string {
  const texts: Record<BuildPlan["selinux"], string> = {
    none: "not in the target",
    carried: "labels as in the source",
    relabel: "all files are labelled at first boot, which restarts once",
    permissive: "set to permissive: it reports, and prevents nothing",
    disabled: "set to disabled",
  };
  return texts[plan];
}
