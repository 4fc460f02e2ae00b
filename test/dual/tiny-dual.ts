import { cp, mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { silent } from "../../format/events.ts";
import { cachedFolder } from "../fixtures/cache.ts";
import { DiskAtPoint } from "../power/points/disk-at-point.ts";
import { conversionRecording } from "../power/record/conversion-recording.ts";
import { openRecording } from "../power/record/recording.ts";
import { powerPackage } from "../power/systems/cached-package.ts";
import type { TinyRelease } from "../power/systems/target-tree.ts";

const run = createRun(silent, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });

/** Those that follow the one of the conversion, which is version 2 with counter 1. */
export const secondRelease: TinyRelease = { version: "3", counter: 2 };
export const thirdRelease: TinyRelease = { version: "4", counter: 3 };
export const fourthRelease: TinyRelease = { version: "5", counter: 4 };

/**
 * A new raw image in `folder`: the disk of a tiny gateway that was converted, committed and switched off. Slot A has the first
 * release, slot B the old system. It is the end of the recorded conversion of test/power.
 */
export async function tinyDualDisk(folder: string): Promise<TinyDisk> {
  const recorded = await conversionRecording({ stack: "ext4" });
  const cached = await cachedFolder({ name: "tiny-dual", inputs: [basename(recorded)] }, async (scratch) => {
    const recording = await openRecording(recorded);
    const disks = new DiskAtPoint(recording, scratch);
    const epoch = recording.epochs.length - 1;
    const kept = recording.epochs[epoch]!.writes;
    const at = recording.log.length - 1;
    const image = await disks.build({ name: "end", kind: "boundary", epoch, kept, phase: "committed", at });
    await disks.close();
    await rename(image, join(scratch, "disk.img"));
  });
  const image = await copyImage(join(cached, "disk.img"), join(folder, "disk.img"));
  return { image, source: basename(cached) };
}

export interface TinyDisk {
  image: string;
  /** Names what it was made by, for fixtures that are made of it. */
  source: string;
}

/** Path of an image with packages: `/opt/VERSION/upgrade.sh` in the gateway, and room for upgrade.sh to unpack itself. Copy it before use. */
export async function ordersDisk(releases: readonly TinyRelease[]): Promise<string> {
  const packages = await Promise.all(releases.map((release) => powerPackage(release)));
  const inputs = packages.map((path) => basename(join(path, "..")));
  const name = `tiny-orders-${releases.map(({ version }) => version).join("-") || "none"}`;
  const cached = await cachedFolder({ name, inputs }, async (scratch) => {
    const tree = join(scratch, "tree");
    await mkdir(tree);
    for (const [index, path] of packages.entries())
      await cp(path, join(tree, releases[index]!.version), { recursive: true });
    const image = join(scratch, "orders.img");
    await run("truncate", ["-s", `${256 + 128 * packages.length}M`, image]);
    await run("mke2fs", ["-q", "-F", "-t", "ext4", "-m", "0", "-d", tree, image]);
    await rm(tree, { recursive: true });
  });
  return join(cached, "orders.img");
}

export async function copyImage(from: string, to: string): Promise<string> {
  await run("cp", ["--sparse=always", "--reflink=auto", from, to]);
  return to;
}
