import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseResumeRecord } from "../../../agent/boot/resume-record.ts";
import { planPartitions } from "../../../agent/plan/partitions.ts";
import { parseCommandLine } from "../../../agent/ramdisk/command-line.ts";
import type { StoredFile } from "../../../agent/stash/stored-file.ts";
import { armResumeLoader } from "../../../agent/steps/arm-resume-loader.ts";
import { switchSectorZero } from "../../../agent/steps/switch-sector-zero.ts";
import type { StepContext } from "../../../agent/steps/step-context.ts";
import { createRun } from "../../../agent/system/run.ts";
import { buildBootFiles } from "../../../builder/boot/build-boot-files.ts";
import { silent } from "../../../format/events.ts";
import { packageFiles } from "../../../format/manifest.ts";
import { encodeTable } from "../../../format/partition-table.ts";
import { KiB, MiB } from "../../../format/sizes.ts";
import { exampleManifest, exampleSeed } from "../agent/example.ts";
import { stepContext } from "../agent/steps/step-context.ts";

const diskBytes = 4096 * MiB;
const loader = { startBytes: 1200 * MiB, sizeBytes: MiB };
const ramdiskTail = 1304 * MiB + 100 * KiB + 1;
const table = planPartitions(exampleManifest().layout, diskBytes / 512, exampleSeed);
let folder: string;
let disk: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-arm-"));
  await buildBootFiles(join(folder, "usr/lib/dualroot/grub"), silent);
  await mkdir(join(folder, "work"));
  disk = join(folder, "disk");
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  await rm(disk, { force: true });
  const file = await open(disk, "w");
  await file.truncate(diskBytes);
  await file.write(Buffer.alloc(512, 0x11), 0, 512, 0);
  await file.write(Buffer.alloc(512, 0x22), 0, 512, loader.startBytes - 512);
  await file.write(Buffer.alloc(512, 0x33), 0, 512, loader.startBytes + loader.sizeBytes);
  await file.close();
});

function storedFile(name: string, ranges: StoredFile["ranges"], sizeBytes: number): StoredFile {
  return { name, path: disk, ranges, sizeBytes, sha256: "" };
}
const files = new Map([
  [packageFiles.kernel, () => storedFile("kernel", [{ startBytes: 1300 * MiB, sizeBytes: MiB }], 1000)],
  [
    packageFiles.ramdisk,
    () =>
      storedFile(
        "ramdisk",
        [
          { startBytes: 1310 * MiB, sizeBytes: MiB },
          { startBytes: 1304 * MiB, sizeBytes: MiB },
        ],
        MiB + 100 * KiB + 1,
      ),
  ],
] as const);

interface Marks {
  order: string[];
  sector0: Buffer[];
}

function arm(change: Partial<StepContext> = {}): { marks: Marks; done: Promise<void> } {
  const marks: Marks = { order: [], sector0: [] };
  const mark = (what: string): void => {
    marks.order.push(what);
  };
  const context = stepContext({
    run: createRun(silent),
    runtimeFolder: folder,
    stash: { space: { loader } } as StepContext["stash"],
    place: { disk, range: { startBytes: 1400 * MiB, sizeBytes: 8192 }, sha256: "ab".repeat(32) },
    stored: (name) => {
      const file = files.get(name as typeof packageFiles.kernel);
      if (!file) throw new Error(name);
      return file();
    },
    words: parseCommandLine("dualroot.stash=1f2e-3d:/var/lib/dualroot/stash"),
    noReturn: {
      diskChanged: () => mark("changed"),
      armed: (commandLine) => mark(commandLine),
      notArmed: () => mark("not armed"),
    },
    ...change,
  });
  const kind = "arm-resume-loader" as const;
  const step = { kind, title: "", disk, table, consoles: ["console=ttyS0,115200"] };
  return { marks, done: armResumeLoader(step, context, join(folder, "work")) };
}

async function readAt(position: number, length: number): Promise<Buffer> {
  const file = await open(disk, "r");
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, position);
  await file.close();
  return bytes;
}

test("sector 0 leads to the loader in the stash and has the new table's protective MBR; nothing else is written", async () => {
  const { marks, done } = arm();
  await done;
  const sector0 = await readAt(0, 512);
  expect(sector0.readBigUInt64LE(0x5c)).toBe(BigInt(loader.startBytes / 512 + 8));
  expect(sector0.subarray(440).equals(encodeTable(table).protectiveMbr.subarray(440))).toBe(true);
  expect(parseResumeRecord(await readAt(loader.startBytes, 512))).toEqual({ starts: 0, failures: 0 });
  const core = await readAt(loader.startBytes + 4096, 512);
  expect(core.readBigUInt64LE(0x1f4), "its second sector").toBe(BigInt(loader.startBytes / 512 + 9));
  expect(core.readUInt16LE(0x1fc)).toBeGreaterThan(100);
  expect(await readAt(loader.startBytes - 512, 512)).toEqual(Buffer.alloc(512, 0x22));
  expect(await readAt(loader.startBytes + loader.sizeBytes, 512)).toEqual(Buffer.alloc(512, 0x33));
  expect(await readAt(512, MiB)).toEqual(Buffer.alloc(MiB));

  expect(marks.order).toHaveLength(2);
  expect(marks.order[0]).toBe("changed");
  expect(parseCommandLine(marks.order[1]!)).toMatchObject({
    resume: true,
    recordAt: loader.startBytes,
    stashAt: { startBytes: 1400 * MiB, sizeBytes: 8192 },
  });
  const script = await readFile(join(folder, "work/resume-loader.cfg"), "utf8");
  expect(script).toContain(`linux ($root)${(1300 * MiB) / 512}+2 dualroot.mode=convert dualroot.resume=1`);
  expect(script).toContain(`initrd ($root)${(1310 * MiB) / 512}+2048 ($root)${(1304 * MiB) / 512}+201\n`);
});

test.each([
  ["the kernel lies in two ranges", { stored: () => twoRanges() }, /the kernel lies in 2 ranges/],
  ["the stash is not on the disk", { stash: {} as StepContext["stash"] }, /not on the disk/],
])("when %s, sector 0 stays as it was", async (_, change, message) => {
  const { marks, done } = arm(change);
  await expect(done).rejects.toThrow(message);
  expect(marks.order).toEqual([]);
  expect(await readAt(0, 512)).toEqual(Buffer.alloc(512, 0x11));
});

function twoRanges(): StoredFile {
  const range = { startBytes: 1300 * MiB, sizeBytes: 512 };
  return storedFile("kernel", [range, { ...range, startBytes: 1301 * MiB }], 1000);
}

test("when other bytes follow the ramdisk in its last sector, sector 0 stays as it was", async () => {
  const file = await open(disk, "r+");
  await file.write(Buffer.from([1]), 0, 1, ramdiskTail);
  await file.close();
  const { marks, done } = arm();
  await expect(done).rejects.toThrow(/does not end with zeros/);
  expect(marks.order).toEqual([]);
});

describe("the switch, when the disk fails", () => {
  const bytes = Buffer.alloc(512, 0x77);

  async function failing(broken: "write" | "sync"): Promise<string[]> {
    const order: string[] = [];
    const file = await open(disk, "r+");
    const faulty = new Proxy(file, {
      get: (target, key) => {
        if (key === broken) return () => Promise.reject(new Error("EIO: the medium is gone"));
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const noReturn = {
      diskChanged: () => order.push("changed"),
      armed: () => order.push("armed"),
      notArmed: () => order.push("not armed"),
    };
    const done = switchSectorZero(faulty, { path: disk, bytes, commandLine: "" }, stepContext({ noReturn }));
    await expect(done).rejects.toThrow("EIO: the medium is gone");
    await file.close();
    return order;
  }

  test("and the old sector is still there: not armed after all", async () => {
    expect(await failing("write")).toEqual(["changed", "armed", "not armed"]);
    expect(await readAt(0, 512)).toEqual(Buffer.alloc(512, 0x11));
  });

  test("and the new sector may be there: armed", async () => {
    expect(await failing("sync")).toEqual(["changed", "armed"]);
    expect(await readAt(0, 512)).toEqual(bytes);
  });
});
