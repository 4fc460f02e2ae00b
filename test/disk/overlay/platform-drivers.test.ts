import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { stringify } from "yaml";
import { platformDriversSchema, type PlatformDrivers } from "../../../format/platforms.ts";
import type { BuildPlan } from "../../../builder/plan/build-plan.ts";
import { buildPlanLines } from "../../../builder/render/build-plan.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { targetRootFilesystem } from "../../fixtures/root-filesystem.ts";
import { inThrowAwaySystem } from "../../unit/overlay/throw-away-system.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const tsx = `cd ${repository}; node_modules/.bin/tsx test/disk/overlay`;
const minutes = 60;

/** What stands in the output after each VERDICTS. */
function verdictsIn(output: string): PlatformDrivers[][] {
  return [...output.matchAll(/^VERDICTS (.*)$/gm)].map(([, json]) =>
    z.array(platformDriversSchema).parse(JSON.parse(json!)),
  );
}
const disks = (verdicts: PlatformDrivers[]) =>
  Object.fromEntries(verdicts.map(({ platform, disk }) => [platform, disk]));

/** Debian's cloud kernel: everything for virtual machines, nothing for metal. */
const ready = { kvm: "ready", vmware: "ready", hyperv: "ready", xen: "ready", baremetal: "no-driver" };

describe("an initramfs that lacks a platform's drivers has them once it is made with the package's settings", () => {
  test("by Debian's initramfs-tools; they are loaded where they fit, not everywhere", async () => {
    const { output, exitCode } = await inThrowAwaySystem(
      `mkdir /target && mount -t tmpfs none /target && tar -xf ${await targetRootFilesystem()} -C /target || exit 1
        image=$(cd /target && ls boot/initrd.img-* | tail -n 1); version=\${image#boot/initrd.img-}
        judge() { (${tsx}/judge-initramfs.ts /target $version /$image $1); }
        judge || exit 1
        sed -i s/MODULES=most/MODULES=list/ /target/etc/initramfs-tools/initramfs.conf
        echo virtio_pci >/target/etc/initramfs-tools/modules
        (${tsx}/run-step.ts rebuild-initramfs /target initramfs-tools $version /$image) || exit 1
        judge initramfs-tools || exit 1
        (${tsx}/run-step.ts rebuild-initramfs /target initramfs-tools $version /$image) || exit 1
        judge || exit 1
        mkdir /x; cd /x; chroot /target unmkinitramfs /$image /x; echo LOADED $(find /target/x -path '*conf/modules' | xargs cat)`,
      undefined,
      10 * minutes,
    );
    expect(output).toContain("VERDICTS");
    const [shipped, listed, mended] = verdictsIn(output);
    expect(disks(shipped!)).toEqual(ready);
    // The fault: the image was really made without them.
    expect(disks(listed!)).toMatchObject({
      kvm: "after-rebuild",
      vmware: "after-rebuild",
      xen: "after-rebuild",
    });
    expect(listed!.find(({ platform }) => platform === "vmware")!.notInInitramfs).toContain("vmw_pvscsi");
    expect(disks(mended!)).toEqual(ready);
    expect(output).toContain("LOADED virtio_pci");
    expect(output).not.toMatch(/LOADED.*vmw_pvscsi/);
    expect(exitCode).toBe(0);
  });

  test("by dracut, also when it looks at one machine only", async () => {
    const { modulesFolder, version } = await debianKernel("cloud-amd64");
    const image = `/boot/initramfs-${version}.img`;
    const make = `dracut --force --hostonly --no-hostonly-cmdline --no-early-microcode --add lvm ${image} ${version} >&2 || exit 1`;
    const { output, exitCode } = await inThrowAwaySystem(
      `mkdir -p /lib/modules /etc/dracut.conf.d; ln -s ${modulesFolder} /lib/modules/${version}
        judge() { (${tsx}/judge-initramfs.ts / ${version} ${image} $1); }
        ${make}
        judge dracut || exit 1
        ${make}
        judge`,
      undefined,
      10 * minutes,
    );
    expect(output).toContain("VERDICTS");
    const [before, after] = verdictsIn(output);
    expect(disks(before!)).toMatchObject({ vmware: "after-rebuild", hyperv: "after-rebuild" });
    expect(disks(after!)).toEqual(ready);
    expect(exitCode).toBe(0);
  });
});

describe("dualroot plan, of a real Debian", () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-platforms-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const dualroot = (args: string[]) =>
    spawnSync(process.execPath, [join(repository, "builder/dualroot.mjs"), ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, DUALROOT_CACHE: join(folder, "cache") },
    });
  const release = async (name: string, platforms: string[]) => {
    const source = await targetRootFilesystem();
    writeFileSync(
      join(folder, name),
      stringify({
        ...{ name: "demo", version: "1", compatible: "demo", counter: 1, platforms, rootfs: { source } },
        ...{ sign: { key: "keys/release.key" }, trustedKeys: ["keys/release.pub"] },
      }),
    );
    return name;
  };
  beforeAll(() =>
    execFileSync(
      process.execPath,
      [join(repository, "builder/dualroot.mjs"), ..."keygen keys --role release".split(" ")],
      { cwd: folder },
    ),
  );

  test("says for each platform what there is", async () => {
    const { status, stdout } = dualroot(["plan", "--json", await release("virtual.yaml", ["kvm", "vmware"])]);
    expect(status).toBe(0);
    const plan = JSON.parse(stdout) as BuildPlan;
    expect(disks(z.array(platformDriversSchema).parse(plan.target.platforms))).toEqual(ready);
    expect(plan.target.rebuildInitramfs).toBe("none");
    // For the kernel updates to come; nothing of platforms that nobody asked for.
    expect(plan.initramfsSettings).toEqual({
      tool: "initramfs-tools",
      modules: ["ata_piix", "sd_mod", "virtio_blk", "virtio_pci", "virtio_scsi", "vmw_pvscsi"],
    });
    const shown = buildPlanLines(plan).join("\n");
    expect(shown).toMatch(/platforms +kvm +disk and initramfs ready; network ready; .*\(promised\)/);
    expect(shown).toMatch(
      /^ +vmware +disk and initramfs ready; network ready; its kernel has no ahci, .*\(promised\)/m,
    );
    expect(shown).toMatch(/^ +baremetal +no driver for its disk; /m);
  });

  test("refuses a platform that its kernel has no driver for", async () => {
    const { status, stderr } = dualroot(["plan", await release("metal.yaml", ["kvm", "baremetal"])]);
    expect(status).toBe(3);
    expect(stderr).toContain("[platform-driver-missing]");
    expect(stderr).toMatch(/no driver for its root disk: ahci \(SATA\)/);
  });
});
