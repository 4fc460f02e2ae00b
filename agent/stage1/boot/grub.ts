import { copyFile, mkdir, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { InternalError, StepError } from "../../../format/errors.ts";
import { packageFiles } from "../../../format/manifest.ts";
import type { Facts, MountFacts } from "../../facts/facts.ts";
import { mountHolding } from "../../facts/parse-proc.ts";
import { exists, readTextIfExists, sha256File, syncPath, writeFileDurably } from "../../system/files.ts";
import { isMountPoint } from "../../system/mounts.ts";
import type { Run } from "../../system/run.ts";
import { addGrubEntry, hasGrubEntry, removeGrubEntry, renderGrubEntry } from "./grub-entry.ts";
import { armGrubenv, disarmGrubenv } from "./grubenv-file.ts";

const bootFolder = "/boot/dualroot";

/** Arms a one-shot entry of the old GRUB: kernel and ramdisk into /boot, the entry into custom.cfg, and last grubenv. */
export async function armGrub(options: {
  packageFolder: string;
  commandLine: string;
  facts: Facts;
  run: Run;
}): Promise<void> {
  const { facts, run } = options;
  const { grubFolder } = facts.boot;
  const bootMount = mountHolding(facts.mounts, bootFolder);
  if (!grubFolder || !bootMount) throw new InternalError("GRUB was chosen on a system without it");
  await mkdir(bootFolder, { recursive: true, mode: 0o700 });
  for (const name of [packageFiles.kernel, packageFiles.ramdisk]) {
    await copyDurably(join(options.packageFolder, name), join(bootFolder, name));
  }
  await syncPath(bootFolder);
  const customPath = join(grubFolder, "custom.cfg");
  const custom = (await readTextIfExists(customPath)) ?? "";
  const mode = (await exists(customPath)) ? (await stat(customPath)).mode & 0o777 : 0o600;
  const entry = renderGrubEntry({
    ...(await bootFilesystem(facts, bootMount, run)),
    folder: bootMount.target === "/" ? bootFolder : bootFolder.slice(bootMount.target.length),
    commandLine: options.commandLine,
  });
  await writeFileDurably(customPath, addGrubEntry(custom, entry), mode);
  await flushJournal(bootMount, run);
  await armGrubenv(join(grubFolder, "grubenv"));
}

/** Takes everything back, whatever is there of it; returns what was undone. */
export async function disarmGrub(root: string): Promise<string[]> {
  const undone: string[] = [];
  for (const grubFolder of ["/boot/grub2", "/boot/grub"].map((folder) => join(root, folder))) {
    const grubenv = join(grubFolder, "grubenv");
    if (await exists(grubenv)) await disarmGrubenv(grubenv);
    const customPath = join(grubFolder, "custom.cfg");
    const custom = await readTextIfExists(customPath);
    if (custom === undefined || !hasGrubEntry(custom)) continue;
    const rest = removeGrubEntry(custom);
    if (rest === "") await unlink(customPath);
    else await writeFileDurably(customPath, rest, (await stat(customPath)).mode & 0o777);
    await syncPath(grubFolder);
    undone.push(`the GRUB entry in ${customPath}`);
  }
  const folder = join(root, bootFolder);
  // A dual system mounts its boot partition there: GRUB's menu and the rescue system, nothing of a preparation's making.
  if ((await exists(folder)) && !(await isMountPoint(folder))) {
    await rm(folder, { recursive: true });
    undone.push(`kernel and ramdisk in ${folder}`);
  }
  return undone;
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await syncPath(to);
  if ((await sha256File(from)) !== (await sha256File(to))) {
    throw new StepError(`${to} is not what was copied to it.`, {
      hint: "The medium below /boot may be failing.",
    });
  }
}

async function bootFilesystem(
  facts: Facts,
  mount: MountFacts,
  run: Run,
): Promise<{ filesystemUuid: string; filesystemType: string; tableType: "dos" | "gpt" }> {
  const { stdout } = await run("blkid", ["-p", "-s", "UUID", "-o", "value", mount.source]);
  const disk = facts.disks.find((candidate) => mount.disks?.includes(candidate.name));
  if (!stdout.trim() || !disk?.tableType)
    throw new StepError(`${mount.source} has no UUID or no partition table.`);
  return { filesystemUuid: stdout.trim(), filesystemType: mount.type, tableType: disk.tableType };
}

/**
 * GRUB does not replay journals: freezing writes everything to its place. One shell freezes and thaws, deaf to Ctrl-C, so
 * that /boot can never stay frozen. A /boot on the root filesystem is not frozen, which could stop this very process;
 * there the reboot's own unmounting has to do, and an entry that finds no files falls back to the old system.
 */
async function flushJournal(mount: MountFacts, run: Run): Promise<void> {
  if (mount.target === "/") {
    await run("sync", []);
    return;
  }
  const script = `trap '' INT HUP TERM; fsfreeze -f "$1"; frozen=$?; fsfreeze -u "$1"; exit $frozen`;
  await run("sh", ["-c", script, "sh", mount.target], { timeoutSeconds: 60 });
}
