import { UserError, type Problem } from "../../format/errors.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { PlatformDrivers } from "../../format/platforms.ts";
import type { TrustedKey } from "../../format/signature.ts";
import { formatSize, MiB } from "../../format/sizes.ts";
import { needsNetworkdEnabled } from "../rootfs/generated-files.ts";
import { planRauc, type RaucPlan } from "../rauc/plan-rauc.ts";
import type { RaucFacts } from "../rauc/rauc-facts.ts";
import type { InitramfsSettings } from "../rootfs/initramfs-settings.ts";
import type { RootfsFacts } from "../rootfs/rootfs-facts.ts";
import type { Selection } from "../rootfs/select-entries.ts";
import { leastDiskBytes } from "../release/least-disk.ts";
import type { Release } from "../release/release.ts";
import { chooseNetwork } from "./choose-network.ts";
import { judgeInitramfs, type InitramfsVerdict } from "./judge-initramfs.ts";
import { judgePlatforms } from "./judge-platforms.ts";
import { judgeSelinux, withSelinuxMode, type SelinuxPlan } from "./judge-selinux.ts";
import { kernelProblems } from "./kernel-problems.ts";
import { targetCommandLine } from "./target-command-line.ts";
import { unpackedSize } from "./unpacked-size.ts";

export interface BuildInputs {
  release: Release;
  facts: RootfsFacts;
  selection: Selection;
  /** Where the release has a `rauc` section. */
  rauc?: RaucFacts | undefined;
  /** What the source is, for people. */
  sourceKind: string;
  keys: readonly TrustedKey[];
  signingKeyId: string;
  sourceDateEpoch: number;
}

/** Everything that will be built, decided before anything is: printed by `dualroot plan`, compared by tests. */
export interface BuildPlan {
  format: 1;
  release: { name: string; version: string; compatible: string; counter: number };
  sourceDateEpoch: number;
  layout: Manifest["layout"];
  diskBytes: number;
  /** Least memory the release asks for besides the package; what the ramdisk needs by itself is added when it is built. */
  memoryBytes: number;
  preserve: string[];
  keepOldSystem: Manifest["keepOldSystem"];
  target: Pick<
    Manifest["target"],
    | "osName"
    | "kernel"
    | "initramfs"
    | "kernelVersion"
    | "commandLine"
    | "network"
    | "rebuildInitramfs"
    | "drivers"
  > & { platforms: PlatformDrivers[] };
  /** Why the agent rebuilds the target's initramfs; empty when it does not. */
  initramfsMissing: string[];
  /** Drivers that its tool shall put into every initramfs from now on. Absent: it makes them as it likes. */
  initramfsSettings?: InitramfsSettings;
  enableNetworkd: boolean;
  /** Absent: RAUC is left alone. */
  rauc?: RaucPlan;
  selinux: SelinuxPlan;
  /** Text of the target's /etc/selinux/config where the release changes it. */
  selinuxConfig?: string;
  rootfs: { source: string; kind: string; entries: number; unpackedBytes: number; left: Selection["left"] };
  /** Absent: the target's own. */
  ramdiskKernel: { image: string; modules: string } | "target";
  signing: TrustedKey;
  keys: readonly TrustedKey[];
  compression: Release["compression"];
}

/** Pure. Throws all problems at once. */
export function planBuild({
  release,
  facts,
  selection,
  rauc: raucFacts,
  sourceKind,
  keys,
  signingKeyId,
  sourceDateEpoch,
}: BuildInputs): BuildPlan {
  const problems: Problem[] = [...kernelProblems(facts)];
  if (!facts.systemd)
    problems.push({
      code: "rootfs-without-systemd",
      message: "the root filesystem has no systemd",
      hint: "The health gate and kernel hooks of a slot are systemd units.",
    });

  const root = release.layout.volumes.find((volume) => volume.slot === "A")!;
  const drivers = facts.boot ? judgePlatforms(facts.boot, release.platforms) : undefined;
  problems.push(...(drivers?.problems ?? []));
  const initramfs = judgeInitramfs(facts, root.filesystem, drivers?.diskModules ?? []);
  if (initramfs.hopeless && facts.boot) {
    problems.push({
      code: "rootfs-initramfs-cannot-boot",
      message: `the initramfs ${facts.boot.kernel.initramfs} cannot find its root on ${release.layout.volumeGroup}-${root.name}: it lacks ${initramfs.missing.join("; ")}`,
      hint: `Install lvm2 together with initramfs-tools or dracut in the root filesystem: then the initramfs is rebuilt on the gateway.${release.platforms ? "" : " Where only drivers are missing: say in platforms which machines the release is for."}`,
    });
  }
  const network = chooseNetwork(release.target.network, facts.network);
  if ("problem" in network) problems.push(network.problem);

  const selinux = judgeSelinux(facts.selinux, release.target.selinux);
  if ("problem" in selinux) problems.push(selinux.problem);

  const unpackedBytes = unpackedSize(selection.kept);
  const needed = unpackedBytes + unpackedBytes / 10 + 64 * MiB;
  if (root.sizeBytes < needed)
    problems.push({
      code: "rootfs-does-not-fit",
      message: `the root filesystem needs ${formatSize(Math.ceil(needed))} with some room to work, volume "${root.name}" has ${formatSize(root.sizeBytes)}`,
      hint: "Make the root volumes larger, or leave more out with rootfs.exclude.",
    });

  const signing = keys.find((key) => key.keyId === signingKeyId);
  if (!signing)
    problems.push({
      code: "signing-key-not-trusted",
      message: `the signing key ${signingKeyId} is none of trustedKeys (${keys.map((key) => key.keyId).join(", ")})`,
      hint: "Add its .pub file to trustedKeys: the ramdisk would refuse its own package.",
    });

  const rauc = raucFacts && planRauc(release, raucFacts);
  problems.push(...(rauc?.problems ?? []));

  const { boot } = facts;
  if (problems.length > 0 || !boot || !drivers || "problem" in network || "problem" in selinux || !signing)
    throw new UserError(problems);
  return {
    format: 1,
    release: {
      name: release.name,
      version: release.version,
      compatible: release.compatible,
      counter: release.counter,
    },
    sourceDateEpoch,
    layout: release.layout,
    diskBytes: Math.max(release.requirements.diskBytes ?? 0, leastDiskBytes(release.layout)),
    memoryBytes: release.requirements.memoryBytes ?? 0,
    preserve: release.preserve,
    keepOldSystem: release.keepOldSystem,
    target: {
      osName: facts.osName,
      kernel: boot.kernel.image,
      initramfs: boot.kernel.initramfs,
      kernelVersion: boot.kernel.version,
      commandLine: targetCommandLine(release, boot.initramfs, initramfs.rebuild),
      network: network.family,
      rebuildInitramfs: initramfs.rebuild,
      drivers: boot.drivers.all,
      platforms: drivers.platforms,
    },
    initramfsMissing: initramfs.missing,
    ...initramfsSettings(release, facts, initramfs, drivers.diskModules),
    enableNetworkd: needsNetworkdEnabled(network.family, facts.network.networkd),
    ...(rauc ? { rauc: rauc.plan } : {}),
    selinux: selinux.plan,
    ...(selinux.plan === "permissive" || selinux.plan === "disabled"
      ? { selinuxConfig: withSelinuxMode(facts.selinux!.config, selinux.plan) }
      : {}),
    rootfs: {
      source: release.rootfs.source,
      kind: sourceKind,
      entries: selection.kept.length,
      unpackedBytes,
      left: selection.left,
    },
    ramdiskKernel: release.kernel ?? "target",
    signing,
    keys,
    compression: release.compression,
  };
}

/** Where the release promises platforms, kernel updates on the gateway keep the promise, also when this initramfs is fine. */
function initramfsSettings(
  release: Release,
  facts: RootfsFacts,
  { rebuild }: InitramfsVerdict,
  modules: readonly string[],
): Pick<BuildPlan, "initramfsSettings"> {
  const tool =
    rebuild !== "none"
      ? rebuild
      : release.platforms === undefined
        ? undefined
        : facts.initramfsTools
          ? "initramfs-tools"
          : facts.dracut
            ? "dracut"
            : undefined;
  return tool === undefined || modules.length === 0 ? {} : { initramfsSettings: { tool, modules } };
}
