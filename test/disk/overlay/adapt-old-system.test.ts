import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { debianKernel } from "../../fixtures/kernels.ts";
import { targetRootFilesystem } from "../../fixtures/root-filesystem.ts";
import { inThrowAwaySystem } from "../../unit/overlay/throw-away-system.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));
const minutes = 60;

/** A system as the capture left it in slot B, `make` puts it into /slot: adapted, and looked at. */
async function adapt(make: string, look: string): Promise<string> {
  const { output, exitCode } = await inThrowAwaySystem(
    `mount -t sysfs sysfs /sys; mkdir -p /slot /package /runtime/usr/lib/dualroot
    ${make}
    printf 'the kernel\\n' >/package/vmlinuz-convert; printf 'the image.\\n' >/package/initramfs-convert.img
    echo '{"format":1,"keys":[]}' >/runtime/usr/lib/dualroot/keys.json
    printf 'UUID=old / ext4 errors=remount-ro 0 1\\nUUID=oldboot /boot ext2 defaults 0 2\\n' >/slot/etc/fstab
    kernel=$(ls /slot/boot/vmlinuz-* | tail -n 1); release=\${kernel#/slot/boot/vmlinuz-}
    (cd ${repository}; node_modules/.bin/tsx test/disk/overlay/adapt-slot.ts $release) || exit 1
    echo RELEASE $release; cat /slot/etc/fstab /slot/boot/slot.cfg /slot/etc/dualroot/system.json
    grep /slot/ /proc/mounts | sed 's/^/STILL MOUNTED /'
    ${look}
    exit 0`,
    undefined,
    10 * minutes,
  );
  expect(exitCode, output).toBe(0);
  expect(output).not.toMatch(/STILL MOUNTED \S+ \/slot\/(proc|sys|dev) /);
  expect(output).toMatch(/^\/dev\/mapper\/VA-root_b \/ ext4 errors=remount-ro 0 1/m);
  return output;
}

const debian = async (): Promise<string> =>
  `mount -t tmpfs none /slot && tar -xf ${await targetRootFilesystem()} -C /slot || exit 1`;

test("its own initramfs-tools make an image that finds a root on LVM; its gate is enabled", async () => {
  const output = await adapt(
    `${await debian()}; sed -i s/MODULES=most/MODULES=dep/ /slot/etc/initramfs-tools/initramfs.conf`,
    "chroot /slot lsinitramfs /boot/initrd.img-dualroot-$release | grep -E 'sbin/lvm$|virtio_blk.ko|dm-mod.ko'; chroot /slot systemctl is-enabled dualroot-health.service; chroot /slot systemd-analyze verify --man=no dualroot-health.service; ls -l /slot/usr/lib/dualroot /slot/usr/sbin/dualroot-rollback",
  );
  const release = /^RELEASE (.*)$/m.exec(output)?.[1];
  expect(output).toContain(`set dualroot_kernel='/boot/vmlinuz-${release}'`);
  expect(output).toContain(`set dualroot_initrd='/boot/initrd.img-dualroot-${release}'`);
  expect(output).toContain("set dualroot_arguments='quiet console=ttyS0,115200'");
  expect(output).toMatch(/sbin\/lvm$/m);
  expect(output).toMatch(/dm-mod\.ko/);
  expect(output).toMatch(/virtio_blk\.ko/);
  expect(output).toMatch(/^enabled$/m);
  expect(output).toContain("health-gate");
  expect(output).toContain('"oldSystem": true');
  expect(output).not.toContain("NOTE");
});

test("without LVM of its own it boots by the ramdisk's kernel, and the report says so", async () => {
  const output = await adapt(
    `${await debian()}; rm /slot/usr/sbin/lvm`,
    "cat /slot/boot/vmlinuz-convert /slot/boot/initramfs-convert.img",
  );
  expect(output).toContain("NOTE Slot B boots by the ramdisk's kernel, not its own: it has no LVM");
  expect(output).toContain("set dualroot_kernel='/boot/vmlinuz-convert'");
  expect(output).toContain("set dualroot_arguments='dualroot.mode=boot quiet console=ttyS0,115200'");
  expect(output).toContain("the kernel\nthe image.");
});

test("its own dracut makes an image that finds a root on LVM, and gets the word for it", async () => {
  const { image, modulesFolder, version } = await debianKernel("cloud-amd64");
  const output = await adapt(
    `mkdir -p /lib/modules; ln -s ${modulesFolder} /lib/modules/${version}; cp ${image} /boot/vmlinuz-${version}
    mount --bind / /slot; mount --bind /boot /slot/boot; mount --bind /etc/dualroot /slot/etc/dualroot`,
    "lsinitrd /boot/initramfs-dualroot-$release.img | grep -E 'sbin/lvm$|dm-mod.ko'",
  );
  expect(output).toContain(`set dualroot_initrd='/boot/initramfs-dualroot-${version}.img'`);
  expect(output).toContain("set dualroot_arguments='quiet console=ttyS0,115200 rd.lvm.lv=VA/root_b'");
  expect(output).toMatch(/sbin\/lvm$/m);
  expect(output).toMatch(/dm-mod\.ko/);
});
