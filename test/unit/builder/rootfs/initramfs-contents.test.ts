import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judgeInitramfs } from "../../../../builder/plan/judge-initramfs.ts";
import { initramfsContents } from "../../../../builder/rootfs/initramfs-contents.ts";
import type { RootfsFacts } from "../../../../builder/rootfs/rootfs-facts.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-initramfs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shell = (script: string) => execFileSync("sh", ["-euc", script], { cwd: folder });

beforeAll(() => {
  for (const path of [
    "early/kernel/x86/microcode",
    "main/usr/sbin",
    "main/lib/modules/6.1/kernel/drivers/md",
  ])
    mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, "early/kernel/x86/microcode/GenuineIntel.bin"), "m".repeat(777));
  writeFileSync(join(folder, "main/usr/sbin/lvm"), "l".repeat(4097));
  writeFileSync(join(folder, "main/lib/modules/6.1/kernel/drivers/md/dm-mod.ko.xz"), "d");
  shell(
    "for part in early main; do (cd $part && find . | sort | cpio --quiet -o -H newc > ../$part.cpio); done",
  );
});

const expected = [
  "kernel/x86/microcode/GenuineIntel.bin",
  "usr/sbin/lvm",
  "lib/modules/6.1/kernel/drivers/md/dm-mod.ko.xz",
];

describe("reading an initramfs", () => {
  it.each([
    ["gzip", "gzip -9c"],
    ["xz", "xz --check=crc32 -c"],
    ["zstd", "zstd -qc"],
    ["lz4 as the kernel reads it", "lz4 -lc"],
    ["no compression", "cat"],
  ])("finds the files behind early microcode, with %s", async (_, compress) => {
    shell(`{ cat early.cpio; ${compress} main.cpio; } > image`);
    expect(await initramfsContents(join(folder, "image"))).toEqual(expect.arrayContaining(expected));
  });

  it("reads what mkinitramfs and dracut leave out: nothing but a compressed archive", async () => {
    shell("gzip -c main.cpio > image");
    expect(await initramfsContents(join(folder, "image"))).toEqual(expect.arrayContaining(expected.slice(1)));
  });

  it("finds nothing in a file that is no initramfs, and refuses a damaged one", async () => {
    shell("head -c 5000 /dev/zero | tr '\\0' x > image; gzip -c main.cpio | head -c 60 > damaged");
    expect(await initramfsContents(join(folder, "image"))).toEqual([]);
    await expect(initramfsContents(join(folder, "damaged"))).rejects.toThrow("gzip cannot decompress");
  });
});

describe("judging an initramfs", () => {
  const disks = ["virtio_blk", "virtio_pci"];
  const good = ["usr/sbin/lvm", "m/dm-mod.ko", "m/ext4.ko", "m/virtio_blk.ko", "m/virtio_pci.ko"];
  const facts = (initramfs: string[], changes: Partial<RootfsFacts> = {}): RootfsFacts => ({
    osName: "test",
    kernels: [],
    network: { networkmanager: "absent", networkd: "enabled", ifupdown: "absent", ifcfg: "absent" },
    initramfsTools: false,
    dracut: false,
    lvm: true,
    systemd: true,
    boot: {
      kernel: {
        version: "6.1",
        image: "/boot/vmlinuz-6.1",
        initramfs: "/boot/initrd.img-6.1",
        modules: "/lib/modules/6.1",
      },
      drivers: { all: ["nvme", "virtio_blk", "virtio_pci"], builtIn: ["nvme"] },
      initramfs,
    },
    ...changes,
  });

  it("is content with LVM, device-mapper, the filesystem and the disks of the kernel, built in or not", () => {
    expect(judgeInitramfs(facts(good), "ext4", disks)).toEqual({
      rebuild: "none",
      missing: [],
      hopeless: false,
    });
  });
  it("names what is missing and the tool that can mend it", () => {
    const verdict = judgeInitramfs(facts(["m/ext4.ko", "m/virtio_pci.ko"], { dracut: true }), "ext4", disks);
    expect(verdict).toEqual({
      rebuild: "dracut",
      hopeless: false,
      missing: ["the lvm program", "the dm_mod module", "disk drivers that its kernel has: virtio_blk"],
    });
    expect(judgeInitramfs(facts(good, { initramfsTools: true }), "xfs", disks)).toMatchObject({
      rebuild: "initramfs-tools",
      missing: ["the xfs module"],
    });
  });
  it("gives up where neither tool, or no LVM to put in, is there", () => {
    expect(judgeInitramfs(facts([]), "ext4", disks).hopeless).toBe(true);
    expect(judgeInitramfs(facts([], { dracut: true, lvm: false }), "ext4", disks).hopeless).toBe(true);
  });
});
