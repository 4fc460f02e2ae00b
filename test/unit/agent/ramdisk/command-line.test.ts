import { expect, test } from "vitest";
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
