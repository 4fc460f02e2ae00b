import { readFileSync } from "node:fs";
import type { Facts } from "../../../agent/facts/facts.ts";
import { describeForStash } from "../../../agent/plan/find-disk.ts";
import type { PlanInput } from "../../../agent/plan/conversion-plan.ts";
import { manifestSchema, type Manifest } from "../../../format/manifest.ts";
import { GiB, MiB } from "../../../format/sizes.ts";

export const gatewayNames = ["centos", "ext4", "gpt", "nvme"] as const;
export type GatewayName = (typeof gatewayNames)[number];

/** The three gateways of the tests, and the first of them on NVMe; partitions as the real sfdisk and sgdisk laid them out. */
export function exampleFacts(name: GatewayName = "centos"): Facts {
  return JSON.parse(
    readFileSync(new URL(`../../golden/plan/facts/${name}.json`, import.meta.url), "utf8"),
  ) as Facts;
}

/** A manifest as a release for the gateways has it, checked by its own schema. */
export function exampleManifest(change: Partial<Manifest> = {}): Manifest {
  const drivers = ["virtio_blk", "virtio_pci", "virtio_net", "nvme", "ahci", "mpt3sas", "e1000"];
  return manifestSchema.parse({
    format: 1,
    name: "gateway-os",
    version: "2.0.0",
    compatible: "gateway-x86",
    counter: 7,
    sourceDateEpoch: 1_760_000_000,
    layout: {
      biosBootBytes: 2 * MiB,
      bootBytes: GiB,
      volumeGroup: "VA",
      extentBytes: 4 * MiB,
      volumes: [
        { name: "root_a", sizeBytes: 3 * GiB, filesystem: "ext4", mountPoint: "/", slot: "A", growWeight: 1 },
        { name: "root_b", sizeBytes: 3 * GiB, filesystem: "ext4", mountPoint: "/", slot: "B", growWeight: 1 },
        { name: "image", sizeBytes: 512 * MiB, filesystem: "ext4", mountPoint: "/image" },
        { name: "data", sizeBytes: 512 * MiB, filesystem: "xfs", mountPoint: "/data" },
      ],
    },
    requirements: {
      architecture: "x86_64",
      firmware: "bios",
      ramdiskBytes: 400 * MiB,
      diskBytes: 9 * GiB,
    },
    preserve: { paths: ["/etc/site", "/opt/customer/*.conf"] },
    target: {
      osName: "Debian GNU/Linux 12 (bookworm)",
      kernel: "/boot/vmlinuz-6.1.0-50-amd64",
      initramfs: "/boot/initrd.img-6.1.0-50-amd64",
      kernelVersion: "6.1.0-50-amd64",
      commandLine: "quiet",
      network: "networkd",
      rebuildInitramfs: "initramfs-tools",
      drivers,
      unpackedBytes: 900 * MiB,
      entries: 30_000,
      indexSha256: "ab".repeat(32),
    },
    ramdisk: {
      kernelVersion: "6.1.0-50-amd64",
      drivers,
      runtimeSegments: [{ offset: 0, bytes: 30 * MiB }],
      runtimeCompression: "gzip",
    },
    files: [
      { name: "upgrade.sh", size: 9000, sha256: "01".repeat(32) },
      { name: "vmlinuz-convert", size: 8 * MiB, sha256: "02".repeat(32) },
      { name: "initramfs-convert.img", size: 60 * MiB, sha256: "03".repeat(32) },
      { name: "partition-table.sgdisk", size: 17920, sha256: "04".repeat(32) },
      { name: "rootfs.tar.xz", size: 180 * MiB, sha256: "05".repeat(32) },
    ],
    ...change,
  });
}

export const exampleSeed = "000102030405060708090a0b0c0d0e0f";

export function examplePlanInput(facts: Facts, manifest: Manifest = exampleManifest()): PlanInput {
  const disk = facts.disks[0];
  if (!disk) throw new Error("the example has no disk");
  return {
    manifest,
    facts,
    stash: {
      disk: describeForStash(disk),
      seed: exampleSeed,
      consoles: ["console=tty0", "console=ttyS0,115200"],
    },
  };
}
