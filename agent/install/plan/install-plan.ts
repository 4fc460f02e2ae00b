import { userError } from "../../../format/errors.ts";
import type { SlotName } from "../../../format/grubenv.ts";
import { packageFiles, type Manifest } from "../../../format/manifest.ts";
import type { Facts } from "../../facts/facts.ts";
import { packageFileBytes } from "../../package/package-file-bytes.ts";
import { bootMountPoint } from "../../plan/check-layout.ts";
import { planMounts } from "../../plan/plan-mounts.ts";
import { planVolume } from "../../plan/plan-volumes.ts";
import type { PlannedVolume } from "../../plan/step.ts";
import { stateFolderOf } from "../../slot/state-folder.ts";
import { describeRelease } from "../../slot/system-file.ts";
import { renderVolumesFile } from "../../slot/volumes-file.ts";
import type { InstallFacts } from "../facts/install-facts.ts";
import { installFolder } from "../target-folder.ts";
import type { InstallPlan, InstallStep } from "./install-step.ts";
import { slotCommandLine } from "./slot-command-line.ts";
import { slotFstab } from "./slot-fstab.ts";

export interface InstallPlanInput {
  manifest: Manifest;
  facts: Facts;
  install: InstallFacts;
  /** 32 hex digits; the new filesystem's UUID is derived from it. */
  seed: string;
  /** `console=` words of the running kernel. */
  consoles: readonly string[];
  /** `adopt`: for another program, which has marked the slot bad and will activate it. Then grubenv is left to it. */
  purpose: "install" | "adopt";
  installedBy: "upgrade" | "rauc";
}

/** The whole upgrade as a value. The checks have passed, or it throws. */
export function planInstall(input: InstallPlanInput): InstallPlan {
  const { manifest, install, purpose } = input;
  const { running, system } = install;
  if (running === undefined || !system) throw notDual();
  const slot: SlotName = running === "A" ? "B" : "A";
  const volumes = presentVolumes(input, slot);
  const volume = volumes.find((each) => each.slot === slot);
  if (!volume)
    throw userError(
      {
        code: "layout-differs",
        message: `The release's layout has no volume of this gateway for slot ${slot}.`,
        hint: "Use a release with the layout this gateway was converted with.",
      },
      "refused",
    );
  return {
    format: 1,
    purpose,
    release: `${manifest.name} ${manifest.version}`,
    from: `${system.name} ${system.version}`,
    fromVersion: system.version,
    running,
    slot,
    device: volume.device,
    steps: planSteps(input, volumes, volume).filter(
      ({ kind }) => purpose === "install" || !grubenvSteps.includes(kind),
    ),
  };
}

/** Volumes of the release that the gateway has; the other slot as the one that is filled. */
function presentVolumes({ manifest, facts, seed }: InstallPlanInput, slot: SlotName): PlannedVolume[] {
  const { layout } = manifest;
  const group = facts.volumeGroups?.find(({ name }) => name === layout.volumeGroup);
  const names = group?.volumes?.map(({ name }) => name) ?? [];
  return layout.volumes
    .filter(({ name }) => names.includes(name))
    .map((volume) => ({
      ...planVolume({ layout, seed }, volume, []),
      populated: volume.slot === undefined || volume.slot === slot,
    }));
}

const grubenvSteps: readonly InstallStep["kind"][] = ["mark-slot-bad", "activate-slot"];

/** Bad first, good last: whatever stops it in between, GRUB boots the slot that runs. */
function planSteps(
  input: InstallPlanInput,
  volumes: readonly PlannedVolume[],
  volume: PlannedVolume,
): InstallStep[] {
  const { facts, install, manifest } = input;
  const { device, filesystem: type, filesystemUuid: uuid, label, slot } = volume;
  const target = installFolder;
  const grubenv = `${bootMountPoint}/grub/grubenv`;
  const stateFolder = stateFolderOf(facts.mounts);
  const names = { slot: slot!, running: install.running! };
  const content = contentSteps(input, { target, volumes, volume });
  const archiveBytes = packageFileBytes(manifest, packageFiles.rootfs);
  const { unpackedBytes, indexSha256 } = manifest.target;
  return [
    { kind: "mark-slot-bad", title: `Mark slot ${slot} as not bootable`, grubenv, ...names, stateFolder },
    { kind: "release-slot", title: `Take slot ${slot}`, device, target, slot: slot!, stateFolder },
    {
      kind: "make-filesystem",
      title: `Make the ${volume.name} filesystem`,
      device,
      type,
      uuid,
      label,
      readByGrub: true,
    },
    { kind: "mount-target", title: `Mount slot ${slot}`, mounts: [{ device, type, path: target }] },
    { kind: "extract-rootfs", title: "Unpack the new system", target, archiveBytes, unpackedBytes },
    ...content.fill,
    { kind: "remount-slot", title: "Write everything out", device, type, target },
    { kind: "verify-target", title: "Read everything back", target, indexSha256, isMountedAnew: true },
    content.compare,
    { kind: "unmount-slot", title: `Unmount slot ${slot}`, device, target },
    content.record,
    { kind: "refresh-rescue", title: "Refresh the rescue system", folder: bootMountPoint },
    { kind: "activate-slot", title: `Boot slot ${slot} from now on`, grubenv, ...names, stateFolder },
  ];
}

/** What makes an unpacked root filesystem this gateway's slot. */
function contentSteps(
  { manifest, facts, install, consoles, installedBy }: InstallPlanInput,
  slot: { target: string; volumes: readonly PlannedVolume[]; volume: PlannedVolume },
): { fill: InstallStep[]; compare: InstallStep; record: InstallStep } {
  const { target, volumes, volume } = slot;
  const { kernel, initramfs, kernelVersion, rebuildInitramfs, network, commandLine } = manifest.target;
  const shared = [bootMountPoint, ...volumes.filter((each) => !each.slot).map((each) => each.mountPoint)];
  const system = describeRelease(manifest, volume.slot!, manifest.layout.volumeGroup);
  const fill: InstallStep[] = [
    {
      kind: "capture-identity",
      title: "Take this gateway's identity",
      root: "/",
      paths: manifest.preserve.paths,
      elsewhere: shared,
    },
    { kind: "restore-identity", title: "Restore the gateway's identity", target, network },
    {
      kind: "write-fstab",
      title: "Write fstab",
      target,
      lines: slotFstab({
        running: install.system?.oldSystem === true ? "" : install.fstab,
        device: volume.device,
        type: volume.filesystem,
        needed: neededMounts(volumes, install),
      }),
    },
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
    {
      kind: "describe-slot",
      title: "Install the boot files",
      target,
      root: "/",
      system,
      commandLine: slotCommandLine(commandLine, install, consoles),
      volumes: renderVolumesFile(
        manifest.layout,
        volumes.map(({ name }) => name),
      ),
      kernel,
      initramfs,
    },
  ];
  const stateFolder = stateFolderOf(facts.mounts);
  return {
    fill,
    compare: {
      kind: "compare-identity",
      title: "Compare the identity",
      target,
      shared: shared.filter((path) => facts.mounts.some((mount) => mount.target === path)),
    },
    record: { kind: "record-slot", title: "Record the slot", system, installedBy, stateFolder },
  };
}

/** As a conversion writes them. */
function neededMounts(volumes: readonly PlannedVolume[], { boot }: InstallFacts): string[] {
  const lines = planMounts(volumes, "", boot.filesystemUuid ?? "").fstab;
  return boot.filesystemUuid === undefined ? lines.filter((line) => !line.startsWith("UUID= ")) : lines;
}

function notDual(): Error {
  return userError(
    {
      code: "not-dual-system",
      message: "This gateway is no dual system.",
      hint: "Convert it: sh upgrade.sh convert",
    },
    "refused",
  );
}
