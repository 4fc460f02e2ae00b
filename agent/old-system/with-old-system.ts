import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { MiB } from "../../format/sizes.ts";
import { readMountTable, unmountBelow } from "../system/mounts.ts";
import type { Run } from "../system/run.ts";
import { findFilesystems, type OldSystemPlace } from "./find-filesystems.ts";

const folder = "/run/dualroot/old-system";
/** Sparse; holds what replaying the journals changes, mostly nothing. A journal is 128 MiB at most where nobody asked for more. */
const changesBytes = 256 * MiB;
/** Sectors of 512 bytes that dm-snapshot copies at once. */
const chunkSectors = 8;

/**
 * Mounts the old system as it was left, and nothing of it is written to the disk: every filesystem is looked at through a
 * dm-snapshot whose changes lie in memory. So a journal that needs replaying is replayed there, and a clean one costs nothing.
 */
export async function withOldSystem<T>(
  run: Run,
  system: OldSystemPlace,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    for (const group of system.volumeGroups) {
      undo.push(() => run("lvm", ["vgchange", "--activate", "n", group]));
      const readOnly = ["--config", `activation/read_only_volume_list=["${group}"]`];
      // 5: a volume of a kind this ramdisk has no target for; the root may still be there.
      await run("lvm", ["vgchange", "--activate", "y", ...readOnly, group], { acceptExitCodes: [5] });
    }
    const devices = await findFilesystems(run, system);
    await mkdir(folder, { recursive: true });
    const views: string[] = [];
    for (const [index, device] of devices.entries()) views.push(await openView(run, device, index, undo));
    // Undone first: a view that is mounted cannot be removed.
    undo.push(async () => {
      if ((await readMountTable()).some(({ target }) => target === folder)) await unmountBelow(run, folder);
    });
    for (const [index, { type, mountPoint }] of system.filesystems.entries()) {
      const place = mountPoint === "/" ? folder : join(folder, mountPoint);
      const options = type === "xfs" ? "ro,nouuid" : "ro";
      await run("mount", ["-t", type, "-o", options, views[index]!, place]);
    }
    return await work(folder);
  } finally {
    // Everything is tried; what is left over is found by release-old-system, which then says what it was.
    for (const action of undo.toReversed()) await action().catch(() => {});
  }
}

/** A device that shows another one, and keeps in memory what is written to it. */
async function openView(
  run: Run,
  device: string,
  index: number,
  undo: (() => Promise<unknown>)[],
): Promise<string> {
  const file = `/run/dualroot/old-changes-${index}`;
  undo.push(() => rm(file, { force: true }));
  const changes = await open(file, "w");
  await changes.truncate(changesBytes);
  await changes.close();
  const loop = (await run("losetup", ["-f"])).stdout.trim();
  if (!loop.startsWith("/dev/loop")) throw new StepError(`losetup names no free device: ${loop}`);
  await run("losetup", [loop, file]);
  undo.push(() => run("losetup", ["-d", loop]));
  const sectors = Number((await run("blockdev", ["--getsz", device])).stdout);
  const name = `dualroot-old-${index}`;
  const table = `0 ${sectors} snapshot ${device} ${loop} N ${chunkSectors}`;
  undo.push(() => run("dmsetup", ["remove", "--retry", name]));
  await run("dmsetup", ["create", name, "--table", table]);
  return `/dev/mapper/${name}`;
}
