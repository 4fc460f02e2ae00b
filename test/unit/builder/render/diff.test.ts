import { expect, test } from "vitest";
import { diffLines } from "../../../../builder/render/diff.ts";

test("differences are told file by file, what matters first, the same of many entries once", () => {
  const entries = Array.from({ length: 12 }, (_, index) => ({
    file: "rootfs.tar.xz",
    at: `./file-${index}`,
    field: "modifiedAt",
    a: "1795158647",
    b: "1795165951",
  }));
  const digests = [`"${"1".repeat(64)}"`, `"${"2".repeat(64)}"`] as const;
  const lines = diffLines([
    { file: "manifest.json", at: "counter", field: "counter", a: "1", b: "2" },
    { file: "manifest.json", at: "files.rootfs.tar.xz.size", field: "size", a: "10", b: "20" },
    ...entries,
    { file: "rootfs.tar.xz", at: "./file-3", field: "sha256", a: digests[0], b: digests[1] },
    { file: "rootfs.tar.xz", at: "./new", field: "presence", a: "absent", b: "there" },
  ]);
  expect(lines).toEqual([
    "manifest.json",
    "  counter  1 | 2",
    "  and digests and sizes of the files below",
    "",
    "rootfs.tar.xz",
    "  presence of 1 entry",
    "    ./new  absent | there",
    "  sha256 of 1 entry",
    "    ./file-3  1111111111111111 | 2222222222222222",
    "  modifiedAt of 12 entries",
    ...Array.from(
      { length: 10 },
      (_, index) => `    ./file-${index}  2026-11-20T07:10:47 | 2026-11-20T09:12:31`,
    ),
    "    and 2 more (--json has all)",
  ]);
  expect(diffLines([])).toEqual(["the packages are equal"]);
});
