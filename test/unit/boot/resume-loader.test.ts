import { expect, test } from "vitest";
import { loaderScript, sectorsHolding } from "../../../agent/boot/resume-loader.ts";

const range = (sector: number, count: number) => ({ startBytes: sector * 512, sizeBytes: count * 512 });
const target = {
  kernel: range(300_000, 16_000),
  ramdisk: [range(400_000, 8), range(350_000, 90_001)],
  words: ["dualroot.mode=convert", "dualroot.stash=1f2e-3d:/var/lib/dualroot/stash", "console=ttyS1,57600n8"],
  consoles: ["console=tty0", "console=ttyS1,57600n8"],
};

test("the loader reads kernel and ramdisk by their sectors from the disk it was started from", () => {
  expect(loaderScript(target)).toBe(
    [
      "serial --unit=1 --speed=57600",
      "terminal_output console serial",
      "echo dualroot: the conversion of this gateway was interrupted and goes on now.",
      "linux ($root)300000+16000 dualroot.mode=convert dualroot.stash=1f2e-3d:/var/lib/dualroot/stash console=ttyS1,57600n8",
      "initrd ($root)400000+8 ($root)350000+90001",
      "boot",
      "echo dualroot: the ramdisk cannot be read from the disk. Next try in 30 seconds.",
      "sleep 30",
      "reboot",
      "",
    ].join("\n"),
  );
  expect(loaderScript({ ...target, consoles: ["console=tty0"] })).not.toContain("serial");
});

test.each(["a b", "x;y", "$z", "'q'", "{", ""])("the word %j never reaches GRUB's parser", (word) => {
  expect(() => loaderScript({ ...target, words: [word] })).toThrow(/cannot stand in the resume loader/);
});

test("of preallocated ranges only the sectors that hold the file are loaded", () => {
  const ranges = [range(100, 10), range(50, 10), range(200, 10)];
  expect(sectorsHolding(ranges, 5121)).toEqual([range(100, 10), range(50, 1)]);
  expect(sectorsHolding(ranges, 10_240)).toEqual([range(100, 10), range(50, 10)]);
  expect(() => sectorsHolding(ranges, 20_000)).toThrow(/shorter/);
});
