import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeBootSector } from "../../../agent/steps/write-boot-sector.ts";
import { createRun } from "../../../agent/system/run.ts";
import { buildBootFiles } from "../../../builder/boot/build-boot-files.ts";
import { silent } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";

const run = createRun(silent);
let folder: string;
let disk: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-sector-"));
  await buildBootFiles(join(folder, "usr/lib/dualroot/grub"), silent);
  disk = join(folder, "disk");
});
afterAll(() => rm(folder, { recursive: true }));

async function freshDisk(): Promise<Buffer> {
  await rm(disk, { force: true });
  const file = await open(disk, "w");
  await file.truncate(16 * MiB);
  await file.close();
  await run("sgdisk", ["--new=1:2048:6143", "--typecode=1:ef02", disk]);
  return readFile(disk);
}

const write = (sizeBytes: number) =>
  writeBootSector(
    { kind: "write-boot-sector", title: "", disk, biosBoot: { startBytes: MiB, sizeBytes } },
    { run, runtimeFolder: folder, without: new Set() },
  );

test("writes boot code and core, leaves the rest, and does the same again", async () => {
  const before = await freshDisk();
  await write(2 * MiB);
  const after = await readFile(disk);
  const core = await readFile(join(folder, "usr/lib/dualroot/grub/core.img"));
  expect(after.subarray(440, MiB).equals(before.subarray(440, MiB))).toBe(true);
  expect(after.subarray(MiB + 512, MiB + core.length).equals(core.subarray(512))).toBe(true);
  expect(after.subarray(3 * MiB).equals(before.subarray(3 * MiB))).toBe(true);
  expect(after.readBigUInt64LE(0x5c)).toBe(2048n);
  await write(2 * MiB);
  expect((await readFile(disk)).equals(after)).toBe(true);
  await run("sgdisk", ["--verify", disk]);
});

test.each([
  ["the core does not fit the BIOS boot partition", () => write(64 * 1024), "does not fit 65536 bytes"],
  [
    "the disk has no partition table",
    async () => {
      await writeFile(disk, Buffer.alloc(16 * MiB));
      await write(2 * MiB);
    },
    "no partition table",
  ],
])("when %s, sector 0 stays as it was", async (_, attempt, message) => {
  const before = (await freshDisk()).subarray(0, 512);
  await expect(attempt()).rejects.toThrow(message);
  const after = (await readFile(disk)).subarray(0, 512);
  expect(after.subarray(0, 440).equals(before.subarray(0, 440))).toBe(true);
});
