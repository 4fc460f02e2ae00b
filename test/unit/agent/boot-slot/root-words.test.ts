import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasRootWord, logicalVolume, parseRootWords } from "../../../../agent/boot-slot/root-words.ts";
import { fstabTypes } from "../../../../agent/boot-slot/share-modules.ts";
import { parseCommandLine } from "../../../../agent/ramdisk/command-line.ts";
import { UserError } from "../../../../format/errors.ts";

test("what GRUB's menu and a person at its prompt write", () => {
  expect(
    parseRootWords("BOOT_IMAGE=(hd0,gpt2)/x root=/dev/mapper/VA-root_a ro rauc.slot=A panic=60\n"),
  ).toEqual({
    root: { device: "/dev/mapper/VA-root_a" },
    options: "ro",
    waitSeconds: 60,
    skipCheck: false,
  });
  const words =
    'root="UUID=1f2e-3d" rw rootfstype=xfs rootflags=noatime,logbufs=8 init=/bin/sh rootdelay=90 fastboot';
  expect(parseRootWords(words)).toEqual({
    root: { tag: "UUID", value: "1f2e-3d" },
    type: "xfs",
    options: "rw,noatime,logbufs=8",
    init: "/bin/sh",
    waitSeconds: 90,
    skipCheck: true,
  });
  expect(parseRootWords("root=/dev/vda3 rw ro").options).toBe("ro");
  expect(parseRootWords("root=/dev/vda3 rootwait").waitSeconds).toBeGreaterThan(3600);
});

test.each([
  ["quiet", "root-word-missing"],
  ["root=", "root-word-missing"],
  ["root=vda3", "root-word-invalid"],
  ["root=/dev/../etc/passwd", "root-word-invalid"],
  ["root=/dev/vda rootfstype=ext4;reboot", "root-word-invalid"],
  ["root=/dev/vda init=sh", "root-word-invalid"],
])("%j is refused as %s", (text, code) => {
  expect(() => parseRootWords(text)).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ code })] }),
  );
});

test("any command line gives words or a refusal", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, value) => {
      try {
        const words = parseRootWords(`${before} root=${value} rootdelay=${before}`);
        expect(words.waitSeconds).toBeGreaterThanOrEqual(60);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
  );
});

test("a device's name tells its volume, dashes undoubled", () => {
  expect(logicalVolume("/dev/mapper/VA-root_a")).toEqual({ group: "VA", volume: "root_a" });
  expect(logicalVolume("/dev/mapper/my--group-a--b--c")).toEqual({ group: "my-group", volume: "a-b-c" });
  expect(logicalVolume("/dev/centos/root")).toEqual({ group: "centos", volume: "root" });
  for (const other of ["/dev/vda3", "/dev/mapper/luks", "/dev/disk/by-uuid", "/dev/md/0", "/dev/a/b/c"])
    expect(logicalVolume(other), other).toBeUndefined();
  const name = fc.stringMatching(/^[a-z_]([a-z-]{0,6}[a-z])?$/);
  fc.assert(
    fc.property(name, name, (group, volume) => {
      const mapped = `/dev/mapper/${group.replaceAll("-", "--")}-${volume.replaceAll("-", "--")}`;
      expect(logicalVolume(mapped)).toEqual({ group, volume });
    }),
  );
});

test("root= alone means: boot it; a mode that is named goes before it", () => {
  expect(parseCommandLine("root=/dev/vda3 quiet").mode).toBe("boot");
  expect(parseCommandLine("dualroot.mode=rescue root=/dev/vda3").mode).toBe("rescue");
  expect(parseCommandLine("quiet nfsroot=x").mode).toBe("rescue");
  expect(hasRootWord("a=b root=/dev/x")).toBe(true);
});

test("fstab's filesystem types, without what is none", () => {
  const fstab =
    "# /dev/x /a xfs\n/dev/mapper/VA-root_a / ext4 defaults 0 1\n/dev/b /b auto\n/dev/c /c vfat,iso9660 ro\nbad\n";
  expect(fstabTypes(fstab)).toEqual(["ext4", "iso9660", "vfat"]);
});
