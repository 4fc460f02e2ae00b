import { describe, expect, it } from "vitest";
import { judgePlatforms } from "../../../../builder/plan/judge-platforms.ts";
import { platformDrivers } from "../../../../builder/plan/platform-drivers.ts";
import { platforms } from "../../../../format/platforms.ts";

const cloud = [
  "virtio_pci",
  "virtio_blk",
  "virtio_scsi",
  "virtio_net",
  "sd_mod",
  "xen_blkfront",
  "xen_netfront",
];
const facts = (all: readonly string[], initramfs: readonly string[], builtIn: readonly string[] = []) => ({
  kernel: { version: "6.1" },
  drivers: { all: [...all], builtIn: [...builtIn] },
  initramfs: initramfs.map((name) => `usr/lib/modules/6.1/kernel/${name.replaceAll("_", "-")}.ko.zst`),
});
const verdictOf = (result: ReturnType<typeof judgePlatforms>, platform: string) =>
  result.platforms.find((verdict) => verdict.platform === platform)!;

describe("what a target has of a platform's drivers", () => {
  it("is ready when the initramfs has all disk drivers of its kernel; network cards need only the kernel", () => {
    const result = judgePlatforms(
      facts(cloud, ["virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "xen_blkfront"]),
      ["kvm", "xen"],
    );
    expect(result.problems).toEqual([]);
    expect(verdictOf(result, "kvm")).toEqual({
      platform: "kvm",
      promised: true,
      disk: "ready",
      network: "ready",
      notInInitramfs: [],
      absent: ["ahci", "ata_piix", "e1000", "nvme"],
    });
    expect(verdictOf(result, "xen")).toMatchObject({ disk: "ready", network: "ready" });
  });

  it("counts what is built in, for the kernel and for the initramfs", () => {
    const result = judgePlatforms(facts(cloud.slice(1), [], cloud), ["kvm"]);
    expect(verdictOf(result, "kvm")).toMatchObject({ disk: "ready", network: "ready" });
    // Nothing that any tool could put in.
    expect(result.diskModules).toEqual([]);
  });

  it("asks for a rebuild for the platforms that are promised, and only tells of the others", () => {
    const image = ["virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod"];
    const kvm = judgePlatforms(facts(cloud, image), ["kvm"]);
    expect(verdictOf(kvm, "xen")).toMatchObject({
      promised: false,
      disk: "not-in-initramfs",
      notInInitramfs: ["xen_blkfront"],
    });
    expect(kvm.diskModules).toEqual(["sd_mod", "virtio_blk", "virtio_pci", "virtio_scsi"]);
    const both = judgePlatforms(facts(cloud, image), ["kvm", "xen"]);
    expect(verdictOf(both, "xen")).toMatchObject({ promised: true, disk: "after-rebuild" });
    expect(both.diskModules).toContain("xen_blkfront");
  });

  it("wants everything its kernel can drive, and refuses nothing, where the release names none", () => {
    const result = judgePlatforms(facts(cloud, []), undefined);
    expect(result.problems).toEqual([]);
    expect(result.platforms.map(({ platform, disk, network }) => [platform, disk, network])).toEqual([
      ["kvm", "after-rebuild", "ready"],
      ["vmware", "no-driver", "no-driver"],
      ["hyperv", "no-driver", "no-driver"],
      ["xen", "after-rebuild", "ready"],
      ["baremetal", "no-driver", "no-driver"],
    ]);
    expect(result.diskModules).toEqual(["sd_mod", "virtio_blk", "virtio_pci", "virtio_scsi", "xen_blkfront"]);
  });

  it("is refused with what is missing, disk and network each", () => {
    const { problems } = judgePlatforms(facts(cloud, cloud), ["vmware", "kvm", "baremetal"]);
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      [
        "platform-driver-missing",
        "the release is for vmware, but the kernel 6.1 of the root filesystem has no driver for its root disk: vmw_pvscsi (VMware Paravirtual)",
      ],
      [
        "platform-driver-missing",
        "the release is for vmware, but the kernel 6.1 of the root filesystem has no driver for its network card: vmxnet3 (VMXNET 3)",
      ],
      [
        "platform-driver-missing",
        "the release is for baremetal, but the kernel 6.1 of the root filesystem has no driver for its root disk: ahci (SATA)",
      ],
      ["platform-driver-missing", expect.stringContaining("e1000e (Intel, PCI Express) or igb")],
    ]);
    expect(problems[0]!.hint).toContain("take vmware out of platforms");
  });

  it("takes any network card where none is the usual one", () => {
    const result = judgePlatforms(facts(["ahci", "sd_mod", "r8169"], ["ahci", "sd_mod"]), ["baremetal"]);
    expect(result.problems).toEqual([]);
    expect(verdictOf(result, "baremetal")).toMatchObject({ disk: "ready", network: "ready" });
  });
});

describe("the table of drivers", () => {
  it("has ways to disk and network on every platform, modules by their own names, and a source for each", () => {
    for (const platform of platforms) {
      const ways = Object.values(platformDrivers[platform]);
      expect(ways.map((list) => list.length > 0)).toEqual([true, true]);
      for (const way of ways.flat()) {
        expect(way.modules.length).toBeGreaterThan(0);
        expect(way.modules.join()).toMatch(/^[a-z0-9_,]+$/);
        expect(way.source).not.toBe("");
      }
    }
  });
});
