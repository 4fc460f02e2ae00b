import { describe, expect, test } from "vitest";
import { parseSlotConfiguration } from "../../../agent/boot/slot-configuration.ts";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

/** Kernels with their initramfs, in an order that is not theirs. */
const debian = `
for version in 6.1.0-9-amd64 6.1.0-10-amd64 6.1.0-2-amd64; do
  echo kernel >/boot/vmlinuz-$version; echo initramfs >/boot/initrd.img-$version
done
printf 'quiet  console=tty0\\nconsole=ttyS0,115200\\n' >/etc/dualroot/command-line
`;
const select = "/usr/lib/dualroot/select-kernel || echo FAILED $?\ncat /boot/slot.cfg; ls /boot";

describe("select-kernel", () => {
  test.each([
    [
      "the newest by number, not by text",
      debian,
      "/boot/vmlinuz-6.1.0-10-amd64",
      "/boot/initrd.img-6.1.0-10-amd64",
    ],
    [
      "no kernel whose initramfs is missing or empty",
      `${debian}rm /boot/initrd.img-6.1.0-10-amd64; echo k >/boot/vmlinuz-7; : >/boot/initrd.img-7`,
      "/boot/vmlinuz-6.1.0-9-amd64",
      "/boot/initrd.img-6.1.0-9-amd64",
    ],
    [
      "Red Hat's names: .el7 is no part of the number, rescue kernels do not count",
      `for version in 3.10.0-1160.el7.x86_64 3.10.0-1160.2.1.el7.x86_64 3.10.0-957.el7.x86_64 0-rescue-5d2e; do
         echo k >/boot/vmlinuz-$version; echo i >/boot/initramfs-$version.img
       done`,
      "/boot/vmlinuz-3.10.0-1160.2.1.el7.x86_64",
      "/boot/initramfs-3.10.0-1160.2.1.el7.x86_64.img",
    ],
  ])("takes %s", async (_, prepare, kernel, initramfs) => {
    const { output } = await inThrowAwaySystem(`${freshGateway}${prepare}\n${select}`);
    expect(output).not.toContain("FAILED");
    expect(parseSlotConfiguration(output)).toMatchObject({ kernel, initramfs });
    expect(output).not.toContain("slot.cfg.new");
  });

  test("joins the command line into one", async () => {
    const { output } = await inThrowAwaySystem(`${freshGateway}${debian}${select}`);
    expect(parseSlotConfiguration(output)?.arguments).toBe("quiet console=tty0 console=ttyS0,115200");
  });

  test("takes the two files it is given", async () => {
    const { output } = await inThrowAwaySystem(
      `${freshGateway}${debian}/usr/lib/dualroot/select-kernel /boot/vmlinuz-6.1.0-2-amd64 /boot/initrd.img-6.1.0-2-amd64; cat /boot/slot.cfg`,
    );
    expect(parseSlotConfiguration(output)?.kernel).toBe("/boot/vmlinuz-6.1.0-2-amd64");
  });

  test.each([
    ["no kernel is left", "rm /boot/vmlinuz-*"],
    ["the command line would break out of GRUB's quotes", `echo "x' ; halt" >/etc/dualroot/command-line`],
  ])("leaves slot.cfg as it is when %s", async (_, spoil) => {
    const { output } = await inThrowAwaySystem(
      `${freshGateway}${debian}/usr/lib/dualroot/select-kernel; ${spoil}\n${select}`,
    );
    expect(output).toContain("FAILED 1");
    expect(output).toContain("is left as it is");
    expect(parseSlotConfiguration(output)?.kernel).toBe("/boot/vmlinuz-6.1.0-10-amd64");
  });

  test("does not touch a slot.cfg that is right, so that the watch on /boot comes to rest", async () => {
    const { output } = await inThrowAwaySystem(
      `${freshGateway}${debian}/usr/lib/dualroot/select-kernel; stat -c 'INODE %i' /boot/slot.cfg; /usr/lib/dualroot/select-kernel; stat -c 'INODE %i' /boot/slot.cfg`,
    );
    const inodes = output.match(/INODE \d+/g);
    expect(inodes).toHaveLength(2);
    expect(inodes?.[0]).toBe(inodes?.[1]);
  });
});

test("an initramfs rebuilt under its old name is brought to where GRUB reads, though slot.cfg stays", async () => {
  const { output } = await inThrowAwaySystem(`${freshGateway}${debian}/usr/lib/dualroot/select-kernel
    printf '#!/bin/sh\\necho SYNC\\n' >/usr/local/sbin/sync; chmod 755 /usr/local/sbin/sync
    echo rebuilt >/boot/new; mv /boot/new /boot/initrd.img-6.1.0-10-amd64; /usr/lib/dualroot/select-kernel`);
  expect(output.match(/SYNC/g)).toHaveLength(2);
});

describe("hooks", () => {
  test.each([
    ["/etc/kernel/postinst.d/zz-dualroot 6.1.0-10-amd64 /boot/vmlinuz-6.1.0-10-amd64"],
    ["/etc/kernel/postrm.d/zz-dualroot 6.1.0-1-amd64"],
    ["/etc/initramfs/post-update.d/zz-dualroot 6.1.0-10-amd64 /boot/initrd.img-6.1.0-10-amd64"],
    ["/usr/lib/kernel/install.d/99-dualroot.install add 6.1.0-10-amd64 /boot/x /boot/vmlinuz-6.1.0-10-amd64"],
    ["run-parts --exit-on-error --arg=6.1.0-10-amd64 /etc/kernel/postinst.d"],
  ])("%s", async (hook) => {
    const { output, exitCode } = await inThrowAwaySystem(
      `${freshGateway}${debian}${hook}; code=$?; cat /boot/slot.cfg; exit $code`,
    );
    expect(exitCode).toBe(0);
    expect(parseSlotConfiguration(output)?.kernel).toBe("/boot/vmlinuz-6.1.0-10-amd64");
  });

  test("never fail a package", async () => {
    const { output, exitCode } = await inThrowAwaySystem(`${freshGateway}/etc/kernel/postrm.d/zz-dualroot 1`);
    expect(exitCode).toBe(0);
    expect(output).toContain("the next boot uses the kernel that /boot/slot.cfg names");
  });

  test("do nothing on a machine that is not a dual system", async () => {
    const { output, exitCode } = await inThrowAwaySystem(
      `${debian}/etc/kernel/postinst.d/zz-dualroot 1; ls /boot`,
    );
    expect(exitCode).toBe(0);
    expect(output).not.toContain("slot.cfg");
  });
});
