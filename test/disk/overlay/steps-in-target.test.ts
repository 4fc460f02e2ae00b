import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { inThrowAwaySystem } from "../../unit/overlay/throw-away-system.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { targetRootFilesystem } from "../../fixtures/root-filesystem.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const runStep = `cd ${repository}; node_modules/.bin/tsx test/disk/overlay/run-step.ts`;
const minutes = 60;

/** Where the ramdisk has its GRUB files and keys, and the package in memory; two kernels in the target. */
const ramdiskFiles = `
mkdir -p /boot/dualroot /runtime/usr/lib/dualroot /package
cat >/build.mts <<'END'
import { buildBootFiles } from "${repository}/builder/boot/build-boot-files.ts";
await buildBootFiles("/runtime/usr/lib/dualroot/grub", () => {});
END
(cd ${repository}; node_modules/.bin/tsx /build.mts)
echo '{"format":1,"keys":[]}' >/runtime/usr/lib/dualroot/keys.json
echo the kernel >/package/vmlinuz-convert
echo the ramdisk >/package/initramfs-convert.img
for version in 6.1.0-9 6.1.0-10; do echo k >/boot/vmlinuz-$version; echo i >/boot/initrd.img-$version; done
touch /boot/slot.proven
`;

describe("install-boot-files", () => {
  test("lays everything GRUB reads, and again over itself", async () => {
    const { output, exitCode } = await inThrowAwaySystem(`${ramdiskFiles}
      ${runStep} install-boot-files && stat -c 'INODE %i' /boot/dualroot/grub/grubenv &&
        /usr/bin/grub-editenv /boot/dualroot/grub/grubenv set A_TRY=2 && ${runStep} install-boot-files || exit 1
      stat -c 'INODE %i' /boot/dualroot/grub/grubenv; ls /boot/slot.proven
      /usr/bin/grub-editenv /boot/dualroot/grub/grubenv list
      grub-script-check /boot/dualroot/grub/grub.cfg && echo MENU GOOD
      cat /boot/slot.cfg /boot/dualroot/vmlinuz-convert /boot/dualroot/initramfs-convert.img /etc/dualroot/*
      ls /boot/dualroot/grub/i386-pc | grep -c mod`);
    expect(exitCode).toBe(0);
    expect(output).toContain("ORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\n");
    expect(new Set(output.match(/INODE \d+/g)).size).toBe(1);
    expect(output).toContain("MENU GOOD");
    expect(output).toContain("set dualroot_kernel='/boot/vmlinuz-6.1.0-9'");
    expect(output).toContain("set dualroot_arguments='quiet console=tty0 console=ttyS0,115200'");
    expect(output).toContain("the kernel\nthe ramdisk\n");
    expect(output).toContain('"volumeGroup": "VA"');
    expect(output).toContain('{"format":1,"keys":[]}');
    expect(output).toContain("cannot access '/boot/slot.proven'");
  });

  test("says so when the package's kernel is not in the target", async () => {
    const { output, exitCode } = await inThrowAwaySystem(
      `${ramdiskFiles}rm /boot/vmlinuz-6.1.0-9; ${runStep} install-boot-files`,
    );
    expect(exitCode).toBe(1);
    expect(output).toContain("/boot/vmlinuz-6.1.0-9 is missing or empty");
  });
});

/** This system again, as the target of a conversion would be mounted. */
const asTarget = "mkdir /target; mount --bind / /target; mount --bind /boot /target/boot";

describe("rebuild-initramfs", () => {
  test("with dracut: the image can find a root on LVM", async () => {
    const { modulesFolder, version } = await debianKernel("cloud-amd64");
    const image = `/boot/initramfs-${version}.img`;
    const { output, exitCode } = await inThrowAwaySystem(
      `mkdir -p /lib/modules; ln -s ${modulesFolder} /lib/modules/${version}
        ${asTarget}
        ${runStep} rebuild-initramfs /target dracut ${version} ${image} || exit 1
        lsinitrd ${image} | grep -E 'sbin/lvm$|dm-mod.ko'`,
      undefined,
      10 * minutes,
    );
    expect(exitCode).toBe(0);
    expect(output).toMatch(/sbin\/lvm$/m);
  });

  test("with initramfs-tools in a Debian target; the image is new, and nothing stays mounted", async () => {
    const { output, exitCode } = await inThrowAwaySystem(
      `mkdir /target && mount -t tmpfs none /target && tar -xf ${await targetRootFilesystem()} -C /target || exit 1
        cp -a --no-preserve=ownership ${repository}/rootfs-overlay/. /target/
        image=$(cd /target && ls boot/initrd.img-* | tail -n 1); version=\${image#boot/initrd.img-}
        stat -c 'BEFORE %Y' /target/$image
        ${runStep} rebuild-initramfs /target initramfs-tools $version /$image || exit 1
        stat -c 'AFTER %Y' /target/$image; grep /target/ /proc/mounts | sed 's/^/STILL MOUNTED /'
        chroot /target lsinitramfs /$image | grep sbin/lvm; ls /target/boot; exit 0`,
      undefined,
      10 * minutes,
    );
    expect(exitCode).toBe(0);
    const [before, after] = [/BEFORE (\d+)/.exec(output)?.[1], /AFTER (\d+)/.exec(output)?.[1]];
    expect(Number(after)).toBeGreaterThan(Number(before));
    expect(output).toContain("sbin/lvm");
    expect(output).not.toContain("STILL MOUNTED");
    // The hook of initramfs-tools ran in a system that is no dual system yet: it must not have done anything.
    expect(output).not.toContain("slot.cfg");
  });

  test("a tool that leaves the old image is not believed", async () => {
    const { output, exitCode } = await inThrowAwaySystem(
      `printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/update-initramfs; chmod 755 /usr/sbin/update-initramfs
      echo old >/boot/initrd.img-1
      ${asTarget}
      ${runStep} rebuild-initramfs /target initramfs-tools 1 /boot/initrd.img-1`,
    );
    expect(exitCode).toBe(1);
    expect(output).toContain("did not write /boot/initrd.img-1");
  });
});
