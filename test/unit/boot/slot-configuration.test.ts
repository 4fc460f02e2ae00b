import { expect, test } from "vitest";
import { parseSlotConfiguration } from "../../../agent/boot/slot-configuration.ts";

const text = `# Written by /usr/lib/dualroot/select-kernel; read by GRUB.
set dualroot_kernel='/boot/vmlinuz-1'
set dualroot_initrd='/boot/initrd.img-1'
set dualroot_arguments='quiet console=tty0'
`;

test("reads the three values", () => {
  expect(parseSlotConfiguration(text)).toEqual({
    kernel: "/boot/vmlinuz-1",
    initramfs: "/boot/initrd.img-1",
    arguments: "quiet console=tty0",
  });
});

test("a missing or unquoted line makes it invalid", () => {
  expect(parseSlotConfiguration(text.replace(/^set dualroot_initrd.*\n/m, ""))).toBeUndefined();
  expect(parseSlotConfiguration(text.replaceAll("'", ""))).toBeUndefined();
});
