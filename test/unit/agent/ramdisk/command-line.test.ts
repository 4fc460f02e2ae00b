import { expect, test } from "vitest";
import { resumeWords } from "../../../../agent/boot/resume-words.ts";
import { parseCommandLine } from "../../../../agent/ramdisk/command-line.ts";
import { UserError } from "../../../../format/errors.ts";

test("the words of a conversion are read among the kernel's own", () => {
  const text =
    "quiet dualroot.mode=convert dualroot.stash=1f2e-3d:/var/lib/dualroot/stash dualroot.stash_sha256=ab console=ttyS0 panic=30\n";
  expect(parseCommandLine(text)).toEqual({
    mode: "convert",
    stash: { filesystemUuid: "1f2e-3d", folder: "/var/lib/dualroot/stash" },
    stashSha256: "ab",
    rehearse: false,
    resume: false,
    without: [],
  });
});

test("the resume loader's words are read as they are written", () => {
  const sha256 = "0f".repeat(32);
  const place = { disk: "/dev/sda", range: { startBytes: 4096 * 512, sizeBytes: 20 * 512 }, sha256 };
  const words = resumeWords({
    stash: { filesystemUuid: "1f2e-3d", folder: "/var/lib/dualroot/stash" },
    place,
    recordAt: 2048 * 512,
    oldSystem: { sizeBytes: 1_000_001, sha256 },
    without: ["flush", "arm"],
    consoles: ["console=tty0", "console=ttyS0,115200"],
  });
  expect(words.at(-1)).toBe("console=ttyS0,115200");
  expect(parseCommandLine(`BOOT_IMAGE=(hd0)1+2 ${words.join(" ")}`)).toEqual({
    mode: "convert",
    stash: { filesystemUuid: "1f2e-3d", folder: "/var/lib/dualroot/stash" },
    stashAt: place.range,
    stashSha256: sha256,
    rehearse: false,
    resume: true,
    recordAt: 2048 * 512,
    oldSystem: { sizeBytes: 1_000_001, sha256 },
    without: ["flush", "arm"],
  });
});

test("without a mode it is the rescue system, and the last of a word twice counts", () => {
  expect(parseCommandLine("ro quiet").mode).toBe("rescue");
  expect(parseCommandLine("dualroot.mode=a dualroot.mode=convert dualroot.rehearse=1")).toMatchObject({
    mode: "convert",
    rehearse: true,
  });
});

test.each(["/var", "uuid:relative", "uuid:/a/../b", "bad uuid:/x", ":/x"])("stash=%s is refused", (value) => {
  expect(() => parseCommandLine(`dualroot.stash=${value}`)).toThrow(UserError);
});

test.each([
  "stash_at=1",
  "stash_at=1+0",
  "stash_at=1+2049",
  "stash_at=-1+1",
  "stash_at=1e3+1",
  "record_at=x",
  "old_system=5:ab",
])("%s is refused", (word) => {
  expect(() => parseCommandLine(`dualroot.${word}`)).toThrow(UserError);
});
