import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { diskRoot } from "../../../../../builder/inputs/disk/disk-root.ts";
import { findFormat } from "../../../../../builder/inputs/disk/listed-entries.ts";
import { silent } from "../../../../../format/events.ts";

/** What the helper would say of a disk whose root is this folder. */
const guest = vi.hoisted(() => ({ root: "", beforeEnd: () => {} }));
vi.mock("../../../../../builder/inputs/disk/disk-guest.ts", () => ({
  DiskGuest: class {
    choice() {
      const mounts = [{ device: "/dev/vda", type: "ext4", target: "/" }];
      return Promise.resolve({ osName: "", mounts, ignored: [] });
    }
    async *list() {
      yield execFileSync("find", [guest.root, "-printf", findFormat]);
    }
    async *tar() {
      const bytes = execFileSync("tar", ["-C", guest.root, "--format=pax", "-c", "."]);
      yield bytes.subarray(0, 700);
      guest.beforeEnd();
      yield bytes.subarray(700);
    }
    async close() {}
  },
}));

test("a disk image that is written to while it is packed is refused, as a tar is", async () => {
  const top = mkdtempSync(join(tmpdir(), "dualroot-disk-root-"));
  onTestFinished(() => rmSync(top, { recursive: true }));
  guest.root = mkdtempSync(join(top, "root-"));
  writeFileSync(join(guest.root, "file"), "x".repeat(1000));
  const file = join(top, "disk.img");
  writeFileSync(file, "image");
  const pack = async (scratch: string) => {
    const source = await diskRoot({
      kind: "raw",
      disks: [{ disk: { file, format: "raw", readOnly: true }, files: [file] }],
      scratch: join(top, scratch),
      cacheFolder: join(top, "cache"),
      report: silent,
    });
    const { chunks, digests } = source.archiveOnce!(source.entries, { sourceDateEpoch: 0, report: silent });
    for await (const _ of chunks);
    return [...digests.keys()];
  };
  expect(await pack("one")).toEqual(["file"]);
  guest.beforeEnd = () => appendFileSync(file, "more");
  await expect(pack("two")).rejects.toMatchObject({ problems: [{ code: "rootfs-changed" }] });
});
