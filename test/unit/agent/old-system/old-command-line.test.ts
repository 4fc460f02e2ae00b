import { expect, test } from "vitest";
import { oldArguments } from "../../../../agent/old-system/old-command-line.ts";

test.each([
  [
    "CentOS 7",
    "BOOT_IMAGE=/vmlinuz-3.10.0-1160.el7.x86_64 root=/dev/mapper/centos-root ro crashkernel=auto rd.lvm.lv=centos/root rd.lvm.lv=centos/swap rhgb quiet console=tty0 console=ttyS0,115200 LANG=en_US.UTF-8",
    "crashkernel=auto rhgb quiet console=tty0 console=ttyS0,115200 LANG=en_US.UTF-8",
  ],
  [
    "CentOS 6",
    "ro root=/dev/mapper/vg-lv_root rd_NO_LUKS LANG=en_US.UTF-8 rd_LVM_LV=vg/lv_root rd_NO_MD KEYTABLE=us rd_NO_DM quiet",
    "LANG=en_US.UTF-8 KEYTABLE=us quiet",
  ],
  [
    "Debian",
    "BOOT_IMAGE=/boot/vmlinuz-6.1.0-50-amd64 root=UUID=1e1e rootflags=subvol=x rw resume=UUID=2f2f net.ifnames=0 panic=10 console=ttyS1,9600n8",
    "net.ifnames=0 console=ttyS1,9600n8",
  ],
  [
    "nothing of it is a prefix match",
    "rootdelay=5 roo=1 rotate ro rd.lvmx=1",
    "rootdelay=5 roo=1 rotate rd.lvmx=1",
  ],
])("%s", (_, before, after) => {
  expect(oldArguments(before)).toEqual({ words: after.split(" "), dropped: [] });
});

test("words that GRUB's script would read otherwise are left out, and named", () => {
  expect(oldArguments(`a=1 b='2' c="x y" d=$e f\\g quiet`)).toEqual({
    words: ["a=1", "quiet"],
    dropped: ["b='2'", 'c="x', 'y"', "d=$e", "f\\g"],
  });
});
