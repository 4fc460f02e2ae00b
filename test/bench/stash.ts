import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch } from "../../builder/vm/launch.ts";
import { GiB, MiB } from "../../format/sizes.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { largeRootFilesystem } from "../fixtures/large-root.ts";
import { diskSerial, makeStashDisk, type StashDiskOptions } from "../fixtures/stash-disk.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";

const limitSeconds = 3000;
/** The memory the issue of the stash set itself. */
const peakMiB = 450;

interface Measured {
  seconds: number;
  peakMiB: number;
}

/** What the stash on the disk costs in time, and saves in memory, against the package in memory. */
export async function benchStash(): Promise<BenchRow[]> {
  const packageFolder = await buildFixturePackage();
  const ram = await measure(packageFolder, "ram");
  const disk = await measure(packageFolder, "disk");
  return [
    benchRow("stash on the disk, whole stage 2: time against ram mode", disk.seconds, ram.seconds, 1.15, "s"),
    benchRow("stash on the disk: memory peak against ram mode", disk.peakMiB, ram.peakMiB, 1, "MiB"),
  ];
}

/** A machine of 1 GiB converts with a package of 1.5 GiB. Building that package takes a while. */
export async function benchLargePackage(): Promise<BenchRow[]> {
  const rootfs = { source: await largeRootFilesystem() };
  const large = await measure(await buildFixturePackage("large", { rootfs }), "disk");
  return [
    benchRow(
      "package of 1.5 GiB on 1 GiB of memory: peak against the limit",
      large.peakMiB,
      peakMiB,
      1,
      "MiB",
    ),
  ];
}

/** From the ramdisk's first line to its last word, by the host's clock. */
async function measure(packageSource: string, mode: StashDiskOptions["mode"]): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-bench-"));
  try {
    const packageFolder = join(folder, "package");
    await cp(packageSource, packageFolder, { recursive: true });
    const stash = await makeStashDisk(folder, packageFolder, {
      diskBytes: 14 * GiB,
      role: "release",
      ...(mode ? { mode } : {}),
      partitionStart: mode === "disk" ? 1100 * MiB : MiB,
    });
    const machine = await launch(
      {
        name: "bench-stash",
        machine: "q35",
        memoryBytes: GiB,
        cpus: 1,
        drives: [{ file: stash.disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true }],
        nics: [],
        boot: { kernel: stash.kernel, initrd: stash.ramdisk, append: stash.commandLine },
        display: "none",
        onReset: "stop",
      },
      { accelerator: await chooseAccelerator(stash.kernel), consoleLog: `${stash.disk}.log` },
    );
    try {
      await machine.console.waitFor(/dualroot: ramdisk started/, 300);
      const begin = performance.now();
      const [, peak] = await machine.console.waitFor(/Memory: at most (\d+) of \d+ MiB/, limitSeconds);
      const seconds = (performance.now() - begin) / 1000;
      await machine.console.waitFor(/dualroot: converted/, 60);
      return { seconds, peakMiB: Number(peak) };
    } finally {
      await machine.kill();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
