import type { Problem } from "../../format/errors.ts";
import type { RootfsFacts } from "../rootfs/rootfs-facts.ts";

/** Why the root filesystem cannot boot for want of a kernel, its modules or its initramfs. Says what the newest one lacks. */
export function kernelProblems(facts: RootfsFacts): Problem[] {
  if (facts.boot) return [];
  const images = facts.kernels.filter((kernel) => kernel.image);
  const newest = images[0];
  if (!newest) {
    return [
      {
        code: "rootfs-without-kernel",
        message: "the root filesystem has no kernel: there is no /boot/vmlinuz-VERSION",
        hint: "Install a kernel package in it, such as linux-image-amd64 or kernel.",
      },
    ];
  }
  const problems: Problem[] = [];
  if (!newest.modules) {
    problems.push({
      code: "rootfs-without-modules",
      message: `the kernel ${newest.version} has no modules: there is no /lib/modules/${newest.version}/modules.dep`,
      hint: "Install the kernel's module packages, and run depmod in the root filesystem.",
    });
  }
  if (!newest.initramfs) {
    problems.push({
      code: "rootfs-without-initramfs",
      message: `the kernel ${newest.version} has no initramfs in /boot`,
      hint: "Run `update-initramfs -c -k all` or `dracut --regenerate-all` in the root filesystem.",
    });
  }
  return problems;
}
