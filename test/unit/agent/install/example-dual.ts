import type { InstallCheckContext } from "../../../../agent/install/checks/install-check.ts";
import type { InstallFacts } from "../../../../agent/install/facts/install-facts.ts";
import type { InstallPlanInput } from "../../../../agent/install/plan/install-plan.ts";
import type { Facts, MountFacts } from "../../../../agent/facts/facts.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";
import { exampleFacts, exampleManifest, exampleSeed } from "../example.ts";

const mount = (target: string, source: string, device: string): MountFacts => ({
  device,
  source,
  target,
  type: "ext4",
  options: "rw,relatime",
});

/** A converted gateway that runs slot A. */
export function dualFacts(): Facts {
  const facts = exampleFacts();
  return {
    ...facts,
    kernelCommandLine: "root=/dev/mapper/VA-root_a ro rauc.slot=A panic=60 quiet console=ttyS0,115200",
    mounts: [
      mount("/", "/dev/mapper/VA-root_a", "253:0"),
      mount("/boot/dualroot", "/dev/sda2", "8:2"),
      mount("/data", "/dev/mapper/VA-data", "253:3"),
    ],
    volumeGroups: [
      {
        name: "VA",
        uuid: "x",
        physicalVolumes: ["/dev/sda3"],
        volumes: ["root_a", "root_b", "image", "data"].map((name) => ({ name, sizeBytes: 3 * GiB })),
      },
    ],
    converted: { slot: "A", compatible: "gateway-x86" },
    counterFloor: 6,
  };
}

export function dualInstallFacts(): InstallFacts {
  const volume = (slot: "A" | "B", name: string): InstallFacts["slots"][number] => ({
    slot,
    device: `/dev/mapper/VA-${name}`,
    volume: name,
    sizeBytes: 3 * GiB,
    filesystemType: "ext4",
    mountedAt: slot === "A" ? ["/"] : [],
    isBusy: false,
  });
  return {
    running: "A",
    system: {
      format: 1,
      compatible: "gateway-x86",
      name: "gateway-os",
      version: "1.0.0",
      counter: 6,
      slot: "A",
      volumeGroup: "VA",
      commandLine: "quiet splash",
    },
    slots: [volume("A", "root_a"), volume("B", "root_b")],
    boot: {
      isMounted: true,
      isReadOnly: false,
      freeBytes: 700 * MiB,
      filesystemUuid: "1111-2222",
      rescueBytes: { "vmlinuz-convert": 7 * MiB, "initramfs-convert.img": 60 * MiB },
    },
    grubenv: { state: "good", variables: { ORDER: "A B", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0" } },
    proven: true,
    health: { state: "good", message: "healthy" },
    raucOperation: "idle",
    fstab: [
      "# Written by dualroot when it converted this gateway.",
      "/dev/mapper/VA-root_a / ext4 defaults,discard 0 1",
      "UUID=1111-2222 /boot/dualroot ext4 defaults,nofail,x-systemd.device-timeout=180s 0 2",
      "/dev/mapper/VA-data /data xfs noatime,nofail 0 0",
      "# added by hand",
      "nas:/share /mnt/share nfs soft 0 0",
    ].join("\n"),
    commandLine: "quiet splash console=ttyS0,115200 mitigations=off",
    records: {},
    counterFloor: 6,
  };
}

export function dualPlanInput(change: Partial<InstallPlanInput> = {}): InstallPlanInput {
  return {
    manifest: exampleManifest(),
    facts: dualFacts(),
    install: dualInstallFacts(),
    seed: exampleSeed,
    consoles: ["console=ttyS0,115200"],
    purpose: "install",
    installedBy: "upgrade",
    ...change,
  };
}

export function dualCheckContext(
  change: (context: InstallCheckContext) => void = () => {},
): InstallCheckContext {
  const install = dualInstallFacts();
  const context: InstallCheckContext = {
    purpose: "install",
    manifest: exampleManifest(),
    manifestSha256: "00".repeat(32),
    facts: dualFacts(),
    install,
    other: install.slots[1]!,
    identity: { interfaces: [] },
    identityProblems: [],
    options: {},
  };
  context.facts.interfaces = [];
  change(context);
  return context;
}
