import { rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../../format/errors.ts";
import { packageFiles, type PackageFile } from "../../../format/manifest.ts";
import { copyStored } from "../../stash/stored-file.ts";
import { sha256File } from "../../system/files.ts";
import { syncFilesystem } from "../../system/sync-filesystem.ts";
import { rescueBytes } from "../checks/boot-partition.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

/**
 * Kernel and ramdisk of the package beside those that are there, flushed, then both renamed at once. Without room, or with a copy
 * that does not read back, the earlier ones stay: they boot every slot, too.
 */
export async function refreshRescue(
  { folder }: InstallStepOf<"refresh-rescue">,
  context: InstallContext,
): Promise<void> {
  const { manifest, run } = context;
  const files = manifest.files.filter(
    ({ name }) => name === packageFiles.kernel || name === packageFiles.ramdisk,
  );
  const newName = (name: string): string => join(folder, `${name}.new`);
  for (const { name } of files) await rm(newName(name), { force: true });
  if (await areThere(folder, files)) return tell(context, "The rescue system is the package's already.");
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < rescueBytes(files, {}))
    return tell(context, "The boot partition has no room for the new rescue system; the earlier one stays.");
  try {
    for (const { name, sha256 } of files) {
      const copied = await copyStored(context.stored(name), newName(name));
      if (copied !== sha256) throw new StepError(`${name} of the package changed while it was copied`);
    }
    await syncFilesystem(run, folder);
    await readBack(files, newName, context);
    for (const { name } of files) await rename(newName(name), join(folder, name));
    // The second takes the folder from the journal to its place, where GRUB, which replays no journal, looks for it.
    for (const _ of [1, 2]) await syncFilesystem(run, folder);
    tell(context, "The rescue system is the package's now.");
  } catch (error) {
    for (const { name } of files) await rm(newName(name), { force: true });
    throw error;
  }
}

async function readBack(
  files: readonly PackageFile[],
  newName: (name: string) => string,
  { run, report }: InstallContext,
): Promise<void> {
  for (const { name, sha256 } of files) {
    // Gives back what the kernel holds of this one file; where it cannot, the comparison is of less worth.
    await run("dd", [`if=${newName(name)}`, "iflag=nocache", "count=0", "status=none"], {
      acceptExitCodes: [1],
    });
    if ((await sha256File(newName(name))) !== sha256)
      throw new StepError(`${newName(name)} does not read back as it was written`, {
        hint: "The disk is failing.",
      });
    report({ kind: "detail", message: `${newName(name)} reads back equal to the package` });
  }
}

async function areThere(folder: string, files: readonly PackageFile[]): Promise<boolean> {
  for (const { name, size, sha256 } of files) {
    const path = join(folder, name);
    const found = await stat(path).then(
      (facts) => facts.size,
      () => -1,
    );
    if (found !== size || (await sha256File(path)) !== sha256) return false;
  }
  return true;
}

function tell({ notes, report }: InstallContext, message: string): void {
  notes.push(message);
  report({ kind: "detail", message });
}
